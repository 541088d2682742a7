import type { VirtualClock } from '../adapters/clock/clocks.ts'
import { CrunchError } from '../domain/errors.ts'
import { formatInstant, type Instant } from '../domain/time.ts'
import type { Pipeline } from '../pipeline.ts'
import type { SourceRecord } from '../ports/feed-source.ts'
import type { ClockRounds } from '../predictor.ts'

/** Advances time to the next batch of a recording, opens clock rounds up to then, and lets the pipeline accept the batch. */
export async function driveBatch(
  pipeline: Pipeline,
  rounds: ClockRounds,
  clock: VirtualClock,
  batch: readonly SourceRecord[],
): Promise<void> {
  const knownAt = batch[0]?.knownAt
  if (knownAt === undefined) return
  if (knownAt <= 0) {
    throw new CrunchError(
      'RECORDING_INVALID',
      `the recording reaches back to ${formatInstant(knownAt)}: the pipeline's time starts in 1970; remove older records`,
    )
  }
  const startedAt = clock.now()
  // No rounds open before the first record.
  if (startedAt !== 0) await runClockRounds(rounds, clock, startedAt, knownAt - 1)
  clock.advanceTo(knownAt)
  await pipeline.accept(batch.map((record) => ({ ...record, receivedAt: knownAt })))
  // Clock rounds at the instant of the batch open last, so that they see its records.
  await runClockRounds(rounds, clock, Math.max(startedAt, knownAt - 1), knownAt)
}

/** Opens the rounds of `on: 'clock'` schedules with `after < instant <= through`. */
async function runClockRounds(
  rounds: ClockRounds,
  clock: VirtualClock,
  after: Instant,
  through: Instant,
): Promise<void> {
  let at = rounds.nextClockInstant(after)
  while (at !== null && at <= through) {
    clock.advanceTo(at)
    await rounds.predictAt(at)
    at = rounds.nextClockInstant(at)
  }
}
