import { callAuthor, ifAuthorFails, parseReturned } from '../../contract/author-code.ts'
import { maxStalenessMs, type ResolvedContract, roundContext } from '../../contract/resolved-contract.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { scoreId } from '../../domain/ids.ts'
import { type Json, type JsonObject, toJson, toJsonObject } from '../../domain/json/json.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { Round } from '../../domain/round.ts'
import type { Score } from '../../domain/score.ts'
import type { Instant } from '../../domain/time.ts'
import type { DueRound, PredictionMove, RoundSettlement } from '../../ports/store-settlement.ts'
import { roundDistrust } from './round-trust.ts'

const reasonLimit = 2_000

/** The truth of a round: known, not known yet, or the contract's own error while resolving it. */
type Truth =
  | { readonly value: unknown; readonly actuals: Json }
  | { readonly value: null; readonly problem: string; readonly isRefusal: boolean }

/**
 * Decides on a due round: it is resolved with a score for each answer, void once it has expired without a truth, or keeps waiting.
 * Pure; `now` only decides whether the round has expired, and is the time of the scores.
 */
export function settleRound(resolved: ResolvedContract, due: DueRound, now: Instant): RoundSettlement {
  // Only the contract that asked can score an answer. Either its era is over, or ours is and the next process settles
  // it.
  if (due.round.era !== resolved.era.number) return { kind: 'wait', reason: 'another era of the contract settles it' }
  const truth = resolveTruth(resolved, due, now)
  if ('problem' in truth) {
    const detail = truth.problem.slice(0, reasonLimit)
    const { isRefusal } = truth
    if (now < due.round.expiresAt) return { kind: 'wait', reason: detail, isRefusal }
    return {
      kind: 'void',
      reason: detail,
      isRefusal,
      moves: pending(due).map((prediction) => ({
        predictionId: prediction.id,
        to: 'FAILED',
        reason: 'truth_unavailable',
        blame: 'coordinator',
        detail,
      })),
    }
  }
  const scores = pending(due).map((prediction) => scorePrediction(resolved, due.round, prediction, truth, now))
  const substitute = substituteScore(resolved, scores)
  const hasValid = scores.some(({ kind }) => kind === 'valid')
  const moves = pending(due).map(
    (prediction): PredictionMove => ({
      predictionId: prediction.id,
      to: 'SCORED',
      reason: null,
      blame: null,
      detail: null,
    }),
  )
  return {
    kind: 'resolved',
    actuals: truth.actuals,
    scores: [
      ...scores.map((score) => withSubstitute(score, substitute, hasValid)),
      ...missingScores(resolved, due, substitute, now),
    ],
    missingValue: missingValue(resolved, substitute),
    moves,
  }
}

function pending(due: DueRound): readonly Prediction[] {
  return due.predictions.filter((prediction) => prediction.status === 'PENDING')
}

function resolveTruth(resolved: ResolvedContract, due: DueRound, now: Instant): Truth {
  const { entry, exit, records, round } = due
  const unknown = (problem: string, isRefusal = false): Truth => ({ value: null, problem, isRefusal })
  if (entry === null) return unknown('no value was known when the prediction was made')
  if (exit === null) return unknown('no value was known at the horizon')
  const schedule = resolved.schedules.find((candidate) => candidate.key === round.scheduleKey)
  if (schedule === undefined) return unknown(`the contract no longer has the schedule "${round.scheduleKey}"`)
  const ageMs = round.resolvableAt - exit.knownAt
  const limitMs = maxStalenessMs(resolved, schedule)
  if (ageMs > limitMs)
    return unknown(`the last value at the horizon was ${ageMs} ms old; at most ${limitMs} ms are allowed`)
  const distrust = roundDistrust(resolved, due, now)
  if (distrust !== null) return unknown(distrust)
  const { truth } = resolved.contract
  const author = { path: 'truth.resolve', owner: truth, run: truth.resolve }
  return ifAuthorFails(
    (): Truth => {
      const value = callAuthor(author, {
        entry: ordered(entry),
        exit: ordered(exit),
        records: records.map(ordered),
        round: roundContext(round),
      })
      if (value === null || value === undefined) return unknown('the contract could not resolve the truth yet')
      return parseReturned(author, { path: 'truth.schema', of: truth.schema }, value, (parsed) => ({
        value: parsed,
        actuals: toJson(parsed, 'truth'),
      }))
    },
    (reason) => unknown(reason, true),
  )
}

function scorePrediction(
  resolved: ResolvedContract,
  round: Round,
  prediction: Prediction,
  truth: { readonly value: unknown },
  now: Instant,
): Score {
  const { score, snapshot } = resolved.contract
  const base = emptyScore(resolved, round, prediction, now)
  // The same value for both functions: its keys are in the same order in every store.
  const output = toJson(prediction.output)
  const compute = (): Score => {
    const author = { path: 'score.compute', owner: score, run: score.compute }
    const computed = callAuthor(author, { output, truth: truth.value, round: roundContext(round) })
    const { signal, actual } = snapshot
    return {
      ...base,
      kind: 'valid',
      value: parseReturned(author, { path: 'score.schema', of: score.schema }, computed, (parsed) =>
        rankedScore(resolved, parsed),
      ),
      signal: finiteOrNull(signal && callAuthor({ path: 'snapshot.signal', owner: snapshot, run: signal }, { output })),
      actual: finiteOrNull(
        actual && callAuthor({ path: 'snapshot.actual', owner: snapshot, run: actual }, { truth: truth.value }),
      ),
    }
  }
  return ifAuthorFails(compute, (reason): Score => ({ ...base, kind: 'failed', reason: reason.slice(0, reasonLimit) }))
}

/** The score of a model without a valid one, by the contract's policy. */
type SubstituteScore = Pick<Score, 'kind' | 'value' | 'reason'>

/** `null` if the policy gives no score. */
function substituteScore(resolved: ResolvedContract, scores: readonly Score[]): SubstituteScore | null {
  const valid = scores.flatMap((score) => (score.value === null ? [] : [score.value]))
  return ifAuthorFails(
    (): SubstituteScore | null => {
      const value = imputedValue(resolved, valid)
      return value === null ? null : { kind: 'imputed', value, reason: null }
    },
    (reason) => ({ kind: 'failed', value: null, reason: reason.slice(0, reasonLimit) }),
  )
}

/** Stored with the round: a model that was retired and had no row in it is ranked as if it had not answered. */
function missingValue({ contract }: ResolvedContract, substitute: SubstituteScore | null): number | null {
  const value = substitute?.value?.[contract.leaderboard.value]
  return typeof value === 'number' ? value : null
}

/**
 * An answer that cannot be scored, in a round where others can, scores as a missing one and keeps its reason: otherwise
 * an answer that breaks the scorer would remove a hard round from its model's average.
 */
function withSubstitute(score: Score, substitute: SubstituteScore | null, hasValid: boolean): Score {
  if (!hasValid || score.kind !== 'failed' || substitute?.kind !== 'imputed') return score
  return { ...score, kind: 'imputed', value: substitute.value }
}

/** The scores of answers that are missing by the model's own fault, by the contract's policy. */
function missingScores(
  resolved: ResolvedContract,
  due: DueRound,
  substitute: SubstituteScore | null,
  now: Instant,
): Score[] {
  if (substitute === null) return []
  return due.predictions
    .filter((prediction) => prediction.status !== 'PENDING' && prediction.blame === 'model')
    .map((prediction) => ({ ...emptyScore(resolved, due.round, prediction, now), ...substitute }))
}

function imputedValue(resolved: ResolvedContract, valid: readonly JsonObject[]): JsonObject | null {
  const { prediction, leaderboard, score } = resolved.contract
  const policy = prediction.missing ?? 'worst'
  if (policy === 'exclude') return null
  if (typeof policy === 'function') {
    const author = { path: 'prediction.missing', owner: prediction, run: policy }
    const value = callAuthor(author, { scores: valid })
    return value === null
      ? null
      : parseReturned(author, { path: 'score.schema', of: score.schema }, value, (parsed) =>
          rankedScore(resolved, parsed),
        )
  }
  const sign = leaderboard.direction === 'desc' ? 1 : -1
  const rankValue = (value: JsonObject) => sign * (value[leaderboard.value] as number)
  return valid.reduce<JsonObject | null>(
    (worst, value) => (worst === null || rankValue(value) < rankValue(worst) ? value : worst),
    null,
  )
}

/** The stored form of a score. Throws if the leaderboard cannot rank by it. */
function rankedScore(resolved: ResolvedContract, parsed: unknown): JsonObject {
  const value = toJsonObject(parsed, 'score')
  const field: string = resolved.contract.leaderboard.value
  if (typeof value[field] !== 'number') throw new TypeError(`score.${field} is not a number`)
  return value
}

function emptyScore({ era }: ResolvedContract, round: Round, prediction: Prediction, now: Instant): Score {
  return {
    id: scoreId(prediction.id),
    predictionId: prediction.id,
    roundId: round.id,
    modelId: prediction.modelId,
    kind: 'failed',
    value: null,
    reason: null,
    signal: null,
    actual: null,
    resolvableAt: round.resolvableAt,
    scoredAt: now,
    contractVersion: era.contractVersion,
  }
}

/** Stores differ in the order of an object's keys, which would change the last bits of a sum over them. */
function ordered(record: FeedRecord): FeedRecord {
  return { ...record, values: toJsonObject(record.values) }
}

function finiteOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
