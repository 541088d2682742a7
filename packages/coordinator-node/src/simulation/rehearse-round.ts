import { createVirtualClock, type VirtualClock } from '../adapters/clock/clocks.ts'
import { createMemoryStore, type MemoryStore } from '../adapters/store/memory/memory-store.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import type { Prediction } from '../domain/prediction.ts'
import type { Round } from '../domain/round.ts'
import type { Score } from '../domain/score.ts'
import type { Instant } from '../domain/time.ts'
import { createPipeline } from '../pipeline.ts'
import type { FeedSource, SourceRecord } from '../ports/feed-source.ts'
import { type Log, silentLog } from '../ports/log.ts'
import type { ModelAnswer, ModelCall, ModelRunner } from '../ports/model-runner.ts'
import type { ClockRounds } from '../predictor.ts'
import { driveBatch } from '../recording/drive-recording.ts'

/** A schedule that opens no round in this many instants is assumed to open none. */
const maxBatches = 10_000

export interface RehearsalOptions {
  readonly contract: AnyContract
  readonly source: FeedSource
  /** The caller closes it. */
  readonly runner: ModelRunner
  /** Replaces the contract's time-out for models. */
  readonly timeoutMs?: number | undefined
  readonly log?: Log
  readonly signal: AbortSignal
}

/** A call to one model, and its answer. */
export interface RehearsedCall {
  readonly modelId: string
  readonly call: ModelCall
  readonly answer: ModelAnswer
}

/** The results of the rounds, as far as the recording contains their truths. */
export interface Verdict {
  /** One entry per score. */
  readonly scored: readonly { readonly round: Round; readonly score: Score }[]
  /** Why the contract refused a truth or a score, with the author's file and line; `null` if it did not. */
  readonly refusal: string | null
  /** Why a round has no truth; `null` if all have one. */
  readonly unscoredReason: string | null
}

export interface Rehearsal {
  /** `null`: the recording ends with these rounds. */
  readonly verdict: Verdict | null
  /** When the rounds open. */
  readonly at: Instant
  /** In order, including calls that only delivered data. */
  readonly calls: readonly RehearsedCall[]
  /** Recorded predictions, one per round and model. */
  readonly recorded: readonly { readonly round: Round; readonly prediction: Prediction }[]
}

/**
 * Runs the live pipeline up to the first instant of a recording at which rounds open. The models join a node that already
 * has the data of a whole input window; a recording shorter than the window is used from its beginning. `null` when no
 * round opens, or when the signal aborts before.
 */
export async function rehearseRound(options: RehearsalOptions): Promise<Rehearsal | null> {
  const { inputWindowMs } = resolveContract(options.contract)
  return (await rehearseAfter(inputWindowMs, options)) ?? (await rehearseAfter(0, options))
}

async function rehearseAfter(knownForMs: number, options: RehearsalOptions): Promise<Rehearsal | null> {
  const { contract, source, signal, log = silentLog, timeoutMs } = options
  const store = createMemoryStore()
  const clock = createVirtualClock()
  const pipeline = createPipeline(contract, { store, clock, log }, timeoutMs === undefined ? {} : { timeoutMs })
  const { runner, calls } = listen(options.runner)
  const scopes = contractFeeds(contract).map((feed) => feed.scope)
  let rounds: ClockRounds | undefined
  let firstAt: Instant | undefined
  let batchCount = 0
  let rehearsed: Omit<Rehearsal, 'verdict'> | undefined
  const judge = createJudge(contract, store, clock, log)
  for await (const batch of source.stream(scopes, new Map(), signal)) {
    if (rehearsed !== undefined) {
      batchCount += 1
      if ((await judge.isDone(batch)) || batchCount >= 2 * maxBatches) break
      continue
    }
    const at = batch[0]?.knownAt ?? 0
    firstAt ??= at
    if (rounds === undefined && at < firstAt + knownForMs) {
      clock.advanceTo(at)
      await pipeline.accept(received(batch))
      continue
    }
    rounds ??= await pipeline.openPredictor(runner)
    await driveBatch(pipeline, rounds, clock, batch)
    const recorded = recordedIn(store)
    if (recorded.length > 0) rehearsed = { at: clock.now(), calls, recorded }
    batchCount += 1
    if (batchCount === maxBatches && rehearsed === undefined) return null
  }
  return rehearsed === undefined ? null : { ...rehearsed, verdict: await judge.verdict() }
}

/** Settles the rounds with later records. It has no models, so no new round opens. */
function createJudge(contract: AnyContract, store: MemoryStore, clock: VirtualClock, log: Log) {
  const pipeline = createPipeline(contract, { store, clock, log })
  let waitingReason: string | null = null
  let isBehind = false
  const refusal = async () =>
    (await store.refusalsBetween(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))[0]?.reason
  return {
    /** Whether all rounds are settled or the contract has refused a result, after these records. */
    async isDone(batch: readonly SourceRecord[]): Promise<boolean> {
      isBehind = true
      clock.advanceTo(batch[0]?.knownAt ?? clock.now())
      await pipeline.accept(received(batch))
      waitingReason = (await pipeline.settle()).waitingReason
      return store.dump().rounds.every(({ status }) => status === 'RESOLVED') || (await refusal()) !== undefined
    },
    async verdict(): Promise<Verdict | null> {
      if (!isBehind) return null
      const { rounds, scores } = store.dump()
      const byId = new Map(rounds.map((round) => [round.id, round]))
      const scored = scores.flatMap((score) => {
        const round = byId.get(score.roundId)
        return round === undefined ? [] : [{ round, score }]
      })
      const reason = rounds.find(({ voidReason }) => voidReason !== null)?.voidReason ?? waitingReason
      const isOver = rounds.every(({ status }) => status === 'RESOLVED')
      return {
        scored,
        refusal: (await refusal()) ?? null,
        unscoredReason: reason ?? (isOver ? null : 'the recording ends before the horizon of the round'),
      }
    },
  }
}

function received(batch: readonly SourceRecord[]) {
  return batch.map((record) => ({ ...record, receivedAt: record.knownAt }))
}

/** The runner, recording calls and answers. */
function listen(runner: ModelRunner): { readonly runner: ModelRunner; readonly calls: readonly RehearsedCall[] } {
  const heard: RehearsedCall[] = []
  return {
    calls: heard,
    runner: {
      models: () => runner.models(),
      reachable: () => runner.reachable(),
      excuseOf: (modelId) => runner.excuseOf(modelId),
      onModel: (listener) => runner.onModel(listener),
      judge: (judgements) => runner.judge(judgements),
      close: () => runner.close(),
      retirementOf: (modelId) => runner.retirementOf(modelId),
      async dispatch(calls, timeoutMs, except) {
        const all = await runner.dispatch(calls, timeoutMs, except)
        for (const { modelId, answers } of all) {
          for (const [index, answer] of answers.entries()) {
            const call = calls[index]
            if (call !== undefined) heard.push({ modelId, call, answer })
          }
        }
        return all
      },
    },
  }
}

function recordedIn(store: MemoryStore): Rehearsal['recorded'] {
  const { rounds, predictions } = store.dump()
  const byId = new Map(rounds.map((round) => [round.id, round]))
  return predictions.flatMap((prediction) => {
    const round = byId.get(prediction.roundId)
    return round === undefined ? [] : [{ round, prediction }]
  })
}
