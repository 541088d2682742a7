import { createVirtualClock } from '../adapters/clock/clocks.ts'
import { createInProcessRunner } from '../adapters/model-runner/in-process/in-process-runner.ts'
import { createMemoryStore } from '../adapters/store/memory/memory-store.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import { sampleValues } from '../contract/sample-values.ts'
import { onlyEra } from '../domain/era.ts'
import { createPipeline } from '../pipeline.ts'
import type { FeedSource } from '../ports/feed-source.ts'
import { silentLog } from '../ports/log.ts'
import { driveBatch } from '../recording/drive-recording.ts'
import { countInputRefusals, type RunOutcome, runOutcome } from './run-outcome.ts'

/** Limit of the rehearsal, because a check must end soon. Rounds open and resolve long before it, or never. */
const maxRecords = 20_000
const exampleCount = 3

/** The outcome of the first rounds of a contract, with answers made from its schema. */
export interface ContractRehearsal extends RunOutcome {
  readonly roundCount: number
  readonly scoredCount: number
  /** Whether snapshots, ranks and a payout were computed. */
  readonly isRanked: boolean
}

/**
 * Runs the beginning of a recording through the live pipeline up to the payout: input, schema, example answers,
 * truth, score, snapshot, rank and emission. It ends when each schedule has a round with a score, or at the limit.
 * `null` when the prediction's schema cannot be sampled. Throws errors of the snapshot, the ranks, the emission and the
 * source.
 */
export async function rehearseContract(options: {
  readonly contract: AnyContract
  readonly source: FeedSource
  readonly signal: AbortSignal
}): Promise<ContractRehearsal | null> {
  const { contract, source, signal } = options
  const answers = sampleValues(contract.prediction.schema, exampleCount)
  if (answers.length === 0) return null
  const inputs = countInputRefusals(silentLog)
  const ports = { store: createMemoryStore(), clock: createVirtualClock(), log: inputs.log }
  const pipeline = createPipeline(contract, ports)
  const runner = createInProcessRunner(answers.map((answer, index) => exampleModel(contract, answer, index)))
  const predictor = await pipeline.openPredictor(runner)
  const keys = resolveContract(contract).schedules.map(({ key }) => key)
  let recordCount = 0
  let waitingReason: string | null = null
  for await (const batch of source.stream(scopesOf(contract), new Map(), signal)) {
    await driveBatch(pipeline, predictor, ports.clock, batch)
    recordCount += batch.length
    const settled = await pipeline.settle()
    waitingReason = settled.waitingReason
    const rows = ports.store.dump()
    const scored = new Set(
      rows.rounds
        .filter(({ actuals, status }) => status === 'RESOLVED' && actuals !== null)
        .map((round) => round.scheduleKey),
    )
    if (keys.every((key) => scored.has(key)) || recordCount >= maxRecords) break
  }
  await runner.close()
  // Ends the only era, so that its last period and payout close early.
  await createPipeline(contract, ports, { era: { ...onlyEra, endedAt: ports.clock.now() + 1 } }).closeEra()
  const rows = ports.store.dump()
  return {
    ...runOutcome(await ports.store.runFacts(), inputs, waitingReason),
    roundCount: rows.rounds.length,
    scoredCount: rows.scores.filter(({ kind }) => kind === 'valid').length,
    isRanked: rows.leaderboards.length > 0 && rows.checkpoints.length > 0,
  }
}

function scopesOf(contract: AnyContract) {
  return contractFeeds(contract).map(({ scope }) => scope)
}

/** A model with one answer, under the methods that the contract calls. */
function exampleModel({ prediction }: AnyContract, answer: unknown, index: number) {
  const { tick = 'tick', predict = 'predict' } = prediction.call ?? {}
  const id = `example-${index + 1}`
  return {
    identity: { id, name: id, cruncherId: id, cruncherName: id, deploymentId: id },
    model: { ...(tick === false ? {} : { [tick]: () => undefined }), [predict]: () => answer },
  }
}
