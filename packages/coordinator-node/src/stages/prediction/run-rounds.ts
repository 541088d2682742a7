import { errorText } from '@crunch/local-processes/errors'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { expireMs } from '../../contract/resolved-contract.ts'
import { CrunchError } from '../../domain/errors.ts'
import { roundId } from '../../domain/ids.ts'
import type { JsonObject } from '../../domain/json/json.ts'
import { announcedIdOf } from '../../domain/models/model-history.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { Round } from '../../domain/round.ts'
import { formatInstant, type Instant } from '../../domain/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import {
  isRefusal,
  type Judgement,
  type ModelAnswer,
  type ModelAnswers,
  type ModelCall,
  type ModelRunner,
} from '../../ports/model-runner.ts'
import { callRefused } from '../../ports/refused-inputs.ts'
import type { RoundStore } from '../../ports/store-rounds.ts'
import type { DueSchedule } from './due-schedules.ts'
import { type AnswersByModel, judgeRound } from './judge-round.ts'
import type { ModelRegistry, RegistryChange } from './model-registry.ts'
import { predictCall, tickCalls } from './round-calls.ts'
import { isCallAtFault } from './shared-refusals.ts'

export interface RunRoundsPorts {
  readonly store: Pick<RoundStore, 'openRound' | 'recordAnswers' | 'noteRefusedInput'>
  readonly runner: ModelRunner
  readonly clock: Clock
  readonly log: Log
}

/** The outcome of the rounds of one instant. */
export interface RanRounds {
  readonly rounds: readonly Round[]
  readonly predictionCount: number
}

/** One instant of one series. */
export interface RoundInstant {
  readonly at: Instant
  readonly input: JsonObject
  readonly due: readonly DueSchedule[]
  /** The models' time limit, which ends before the horizon of every due round. */
  readonly timeoutMs: number
  /** Whether the input is new to the models, i.e. comes from a new record. */
  readonly isNews: boolean
  /** Called with each schedule whose round opens, before anything is awaited. */
  readonly onOpen: (scheduleKey: string) => void
  /** Called with each round that the store refused because the period of its horizon is closed. */
  readonly onRefused: (round: Round, reason: string) => void
}

/**
 * Offers an input to every model and asks for the predictions of the rounds that are due, then writes each round's answers
 * at once. The rows of the rounds are written while the models work, so that a crash leaves evidence.
 */
export async function runRounds(
  resolved: ResolvedContract,
  ports: RunRoundsPorts,
  registry: ModelRegistry,
  instant: RoundInstant,
): Promise<RanRounds> {
  const { contract } = resolved
  const observed = registry.observe(ports.runner, instant.at)
  logChanges(ports.log, observed.changes)
  const { asked, refused } = askableRounds(resolved, ports.log, registry, instant)
  const rounds = asked.map(({ round }) => round)
  for (const round of rounds) instant.onOpen(round.scheduleKey)
  const ticks = instant.isNews ? tickCalls(contract, instant.input) : []
  const dispatched = ports.runner.dispatch(
    [...ticks, ...asked.map(({ call }) => call)],
    instant.timeoutMs,
    observed.refused,
  )
  const [opened, answers] = await Promise.all([
    Promise.all(rounds.map((round) => openRound(ports.store, instant, round))),
    dispatched,
    observed.stored,
    ...refused.map(({ key, reason }) => ports.store.noteRefusedInput([key], instant.at, reason)),
  ])
  const written = await Promise.all(
    rounds.map(async (round, index) => {
      // Another process opened this round first and its answers count, or the round was refused; the answers of this process are dropped.
      if (opened[index] === false) return 0
      const callIndex = ticks.length + index
      const byModel = roundAnswers(registry, answers, observed.histories, callIndex)
      const predictions = await judgeRound(resolved, ports, registry.models(), round, byModel)
      ports.runner.judge(judgements(predictions, byModel, asked[index]!.call.method))
      const { lateCount } = await ports.store.recordAnswers(round.id, ports.clock.now(), predictions)
      if (lateCount > 0) warnOfLateAnswers(ports.log, round, lateCount)
      return predictions.length
    }),
  )
  return { rounds, predictionCount: written.reduce((sum, count) => sum + count, 0) }
}

/** `false`: the round was opened by another process or refused. */
async function openRound(
  store: RunRoundsPorts['store'],
  { onRefused }: Pick<RoundInstant, 'onRefused'>,
  round: Round,
): Promise<boolean> {
  try {
    return await store.openRound(round)
  } catch (error) {
    if (!(error instanceof CrunchError) || error.code !== 'PERIOD_CLOSED') throw error
    onRefused(round, error.message)
    return false
  }
}

interface AskableRounds {
  readonly asked: readonly { readonly round: Round; readonly call: ModelCall }[]
  readonly refused: readonly { readonly key: string; readonly reason: string }[]
}

/** The rounds of an instant with their calls. If the contract cannot make the call, the round does not open and counts as missed. */
function askableRounds(
  resolved: ResolvedContract,
  log: Log,
  registry: ModelRegistry,
  { due, input, at }: RoundInstant,
): AskableRounds {
  const asked: { round: Round; call: ModelCall }[] = []
  const refused: { key: string; reason: string }[] = []
  // Before the first model registers, no model can be called, and nothing counts as missed.
  if (registry.models().every(({ registeredAt }) => registeredAt > at)) return { asked, refused }
  for (const entry of due) {
    const round = newRound(resolved, entry, input, at)
    try {
      asked.push({ round, call: predictCall(resolved.contract, round) })
    } catch (error) {
      const reason = errorText(error)
      refused.push({ key: round.scheduleKey, reason })
      log.error(callRefused, { stage: 'prediction', roundId: round.id, reason })
    }
  }
  return { asked, refused }
}

/** The answers to one call of a dispatch. A call that all models refuse alike is at fault itself. */
function roundAnswers(
  registry: ModelRegistry,
  answers: readonly ModelAnswers[],
  histories: ReadonlyMap<string, string>,
  callIndex: number,
): AnswersByModel {
  const byModel = new Map(
    answers.flatMap((entry): [string, ModelAnswer][] => {
      const historyId = histories.get(entry.modelId)
      return historyId === undefined ? [] : [[historyId, entry.answers[callIndex]!]]
    }),
  )
  const asked = registry.models().flatMap((model) => {
    const answer = byModel.get(model.id)
    return answer === undefined ? [] : [{ model, answer }]
  })
  if (!isCallAtFault(asked)) return byModel
  return new Map(
    [...byModel].map(([id, answer]) => [id, isRefusal(answer) ? { ...answer, blame: 'coordinator' } : answer]),
  )
}

/**
 * The judgements that the runner needs: of answers that arrived, and of refusals by models. The runner cannot know whether the
 * call itself was at fault.
 */
function judgements(predictions: readonly Prediction[], byModel: AnswersByModel, method: string): Judgement[] {
  return predictions.flatMap(({ modelId, status, blame, reason, detail }) => {
    const answer = byModel.get(modelId)
    if (answer === undefined || blame === 'coordinator') return []
    if (answer.status !== 'answered' && !isRefusal(answer)) return []
    return [{ modelId: announcedIdOf(modelId), method, problem: status === 'PENDING' ? null : `${reason}: ${detail}` }]
  })
}

function warnOfLateAnswers(log: Log, round: Round, lateCount: number): void {
  log.warn(
    'answers reached the store when the truth could already be known; they do not count, and are blamed on the node',
    {
      stage: 'prediction',
      roundId: round.id,
      resolvableAt: formatInstant(round.resolvableAt),
      lateCount,
    },
  )
}

function logChanges(log: Log, changes: readonly RegistryChange[]): void {
  for (const { kind, modelId, cruncherId = null, reason } of changes) {
    const fields = { stage: 'prediction', modelId, cruncherId, reason }
    if (kind === 'refused') log.error('a model is refused: it is not called and has no rows', fields)
    else if (kind === 'retired') log.warn('a model is retired: it has no rows from now on', fields)
    else log.info('a model takes part again', fields)
  }
}

function newRound(resolved: ResolvedContract, due: DueSchedule, input: JsonObject, at: Instant): Round {
  const { schedule } = due
  const resolvableAt = at + schedule.horizonMs
  return {
    id: roundId(schedule.key, at),
    era: resolved.era.number,
    scheduleKey: schedule.key,
    scope: schedule.scope,
    horizonMs: schedule.horizonMs,
    stepMs: schedule.stepMs,
    performedAt: at,
    resolvableAt,
    expiresAt: resolvableAt + expireMs(resolved, schedule),
    missedBefore: due.missedBefore,
    input,
    status: 'RECEIVED',
    answeredAt: null,
    actuals: null,
    voidReason: null,
  }
}
