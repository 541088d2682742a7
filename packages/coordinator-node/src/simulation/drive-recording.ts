import type { VirtualClock } from '../adapters/clock/clocks.ts'
import { CrunchError } from '../domain/errors.ts'
import type { FeedRecord } from '../domain/feed-record.ts'
import { formatInstant, type Instant } from '../domain/time.ts'
import type { Pipeline } from '../pipeline.ts'
import type { SourceRecord } from '../ports/feed-source.ts'
import type { Predictor } from '../predictor.ts'

/**
 * Feeds one batch of a recording through ingestion and prediction, as time that is carried by the data. Gives the records of
 * it that were new.
 */
export async function driveBatch(
  pipeline: Pipeline,
  predictor: Predictor,
  clock: VirtualClock,
  batch: readonly SourceRecord[],
): Promise<readonly FeedRecord[]> {
  const knownAt = batch[0]?.knownAt
  if (knownAt === undefined) return []
  if (knownAt <= 0) {
    throw new CrunchError(
      'RECORDING_INVALID',
      `the recording reaches back to ${formatInstant(knownAt)}: the pipeline's time starts in 1970; remove older records`,
    )
  }
  const startedAt = clock.now()
  // Before the first record there are no rounds.
  if (startedAt !== 0) await runClockRounds(predictor, clock, startedAt, knownAt - 1)
  clock.advanceTo(knownAt)
  const records: FeedRecord[] = batch.map((record) => ({ ...record, receivedAt: knownAt }))
  const { inserted } = await pipeline.ingest(records)
  predictor.hear(records)
  for (const record of records) await predictor.predict(record)
  // The instant of the batch itself comes last, so that its rounds see the records known at it.
  await runClockRounds(predictor, clock, Math.max(startedAt, knownAt - 1), knownAt)
  return inserted
}

/** Opens the rounds of `on: 'clock'` schedules with `after < instant <= through`. */
async function runClockRounds(
  predictor: Predictor,
  clock: VirtualClock,
  after: Instant,
  through: Instant,
): Promise<void> {
  let at = predictor.nextClockInstant(after)
  while (at !== null && at <= through) {
    clock.advanceTo(at)
    await predictor.predictAt(at)
    at = predictor.nextClockInstant(at)
  }
}
