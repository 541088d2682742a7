import { CrunchError } from '../../../domain/errors.ts'
import { type FeedRecord, type FeedScope, feedScopeKey, isSameScope } from '../../../domain/feed-record.ts'
import type { Prediction, RecordedAnswers } from '../../../domain/prediction.ts'
import type { Round } from '../../../domain/round.ts'
import type { Score } from '../../../domain/score.ts'
import type { Instant } from '../../../domain/time.ts'
import type { PredictionFilter, RoundCounts } from '../../../ports/reads/report-reads.ts'
import type { PredictionExport, PredictionStretch } from '../../../ports/store-exports.ts'
import type { PeriodResult } from '../../../ports/store-periods.ts'
import type {
  DueRound,
  PredictionMove,
  RoundEvidence,
  RoundSettlement,
  SettleRequest,
  SettleResult,
} from '../../../ports/store-settlement.ts'
import { answersInOrder, storedLate } from '../check-answers.ts'
import { checkSettlement } from '../check-settlement.ts'
import { compareText } from '../compare-text.ts'
import type { FeedTable } from './feed-table.ts'
import { comparePredictions, predictionExports } from './prediction-exports.ts'
import { firstIndex, insertSorted } from './sorted-list.ts'

/** A round with its predictions ordered by model id, each with its score. */
export interface RoundRow {
  round: Round
  predictions: Prediction[]
  scores: (Score | null)[]
  missingValue: number | null
  /** Why the contract refused its truth; `null` otherwise, and for a round with a truth. */
  refusedTruth: string | null
}

export interface RoundTable {
  has(id: string): boolean
  open(round: Round): boolean
  lastTimes(): ReadonlyMap<string, Instant>
  recordAnswers(roundId: string, answeredAt: Instant, predictions: readonly Prediction[]): RecordedAnswers
  unanswered(): readonly Round[]
  settle(request: SettleRequest, decide: (due: DueRound) => RoundSettlement): SettleResult
  firstResolvableAt(from: Instant): Instant | null
  hasUnresolved(before: Instant): boolean
  /** Rounds without a result, unordered. */
  unresolved(): readonly Round[]
  /** Infinity if the scope has no unresolved round. */
  firstUnresolvedPerformedAt(scope: FeedScope): Instant
  periodResults(from: Instant, to: Instant): readonly PeriodResult[]
  /** `from <= resolvableAt < to`. */
  rowsBetween(from: Instant, to: Instant): readonly RoundRow[]
  reports(filter: PredictionFilter): readonly PredictionExport[]
  exports(stretch: PredictionStretch): readonly PredictionExport[]
  /** Ordered by (performedAt, round id, model id). */
  predictionsSince(since: Instant): Iterable<Prediction>
  counts(): RoundCounts
  /** The earliest instant after all settled rounds: after every `performedAt`, and every `resolvableAt` of a round with a truth. */
  endOfResults(): Instant
  /** Makes every unresolved round void and returns their number. */
  giveUp(at: Instant, reason: string): number
  /** Removes the oldest resolved rounds with `resolvableAt < before` and returns their number. */
  forget(before: Instant, limit: number): number
  /** Every row, ordered by (resolvableAt, round id). */
  rows(): readonly RoundRow[]
}

interface Rounds {
  readonly byId: Map<string, RoundRow>
  readonly byPerformedAt: RoundRow[]
  readonly byResolvableAt: RoundRow[]
  /** Answered, unresolved rounds, ordered by (resolvableAt, id): the only ones that settling considers. */
  readonly waiting: RoundRow[]
  readonly unanswered: Map<string, RoundRow>
  readonly lastTimes: Map<string, Instant>
  openedCount: number
  voidCount: number
  missedCount: number
}

export function createRoundTable(feeds: FeedTable): RoundTable {
  const rounds: Rounds = {
    byId: new Map(),
    byPerformedAt: [],
    byResolvableAt: [],
    waiting: [],
    unanswered: new Map(),
    lastTimes: new Map(),
    openedCount: 0,
    voidCount: 0,
    missedCount: 0,
  }
  const { byPerformedAt, byResolvableAt, waiting, unanswered } = rounds
  return {
    has: (id) => rounds.byId.has(id),
    open: (round) => open(rounds, round),
    recordAnswers: (id, answeredAt, predictions) => recordAnswers(rounds, id, answeredAt, predictions),
    settle: (request, decide) => settle(rounds, feeds, request, decide),
    lastTimes: () => new Map(rounds.lastTimes),
    unanswered: () => [...unanswered.values()].sort(comparePerformed).map((row) => row.round),
    firstResolvableAt(from) {
      const first = byResolvableAt[firstIndex(byResolvableAt, ({ round }) => round.resolvableAt >= from)]
      return first?.round.resolvableAt ?? null
    },
    hasUnresolved(before) {
      const first = waiting[0]
      if (first !== undefined && first.round.resolvableAt < before) return true
      return [...unanswered.values()].some((row) => row.round.resolvableAt < before)
    },
    unresolved: () => [...waiting, ...unanswered.values()].map(({ round }) => round),
    firstUnresolvedPerformedAt(scope) {
      const key = feedScopeKey(scope)
      const own = [...waiting, ...unanswered.values()].filter(({ round }) => feedScopeKey(round.scope) === key)
      return own.reduce((first, { round }) => Math.min(first, round.performedAt), Number.POSITIVE_INFINITY)
    },
    rowsBetween: (from, to) => roundsBetween(byResolvableAt, from, to),
    periodResults: (from, to) => periodResults(byResolvableAt, from, to),
    reports: (filter) => predictionReports(byPerformedAt, filter),
    exports: (stretch) => predictionExports(byPerformedAt, stretch),
    *predictionsSince(since) {
      const first = firstIndex(byPerformedAt, ({ round }) => round.performedAt >= since)
      for (let index = first; index < byPerformedAt.length; index += 1) {
        yield* (byPerformedAt[index] as RoundRow).predictions
      }
    },
    counts: () => ({
      openedCount: rounds.openedCount,
      unresolvedCount: waiting.length + unanswered.size,
      voidCount: rounds.voidCount,
      missedCount: rounds.missedCount,
    }),
    endOfResults: () => endOfResults(rounds),
    giveUp: (at, reason) => giveUp(rounds, at, reason),
    forget: (before, limit) => forget(rounds, before, limit),
    rows: () => byResolvableAt,
  }
}

function open(rounds: Rounds, round: Round): boolean {
  const { byId, byPerformedAt, byResolvableAt, unanswered, lastTimes } = rounds
  if (byId.has(round.id)) return false
  const row: RoundRow = { round, predictions: [], scores: [], missingValue: null, refusedTruth: null }
  byId.set(round.id, row)
  insertSorted(byPerformedAt, row, comparePerformed)
  insertSorted(byResolvableAt, row, compareResolvable)
  unanswered.set(round.id, row)
  rounds.openedCount += 1
  rounds.missedCount += round.missedBefore
  lastTimes.set(round.scheduleKey, Math.max(lastTimes.get(round.scheduleKey) ?? -Infinity, round.performedAt))
  return true
}

function recordAnswers(
  { byId, unanswered, waiting }: Rounds,
  roundId: string,
  answeredAt: Instant,
  predictions: readonly Prediction[],
): RecordedAnswers {
  const row = byId.get(roundId)
  if (row === undefined) throw new CrunchError('NOT_FOUND', `there is no round "${roundId}" to answer`)
  const answers = answersInOrder(roundId, predictions)
  if (row.round.answeredAt !== null) return { isFirst: false, lateCount: 0 }
  const isLate = answeredAt >= row.round.resolvableAt
  row.predictions = answers.map((prediction) => ofRound(row.round, isLate ? withoutPending(prediction) : prediction))
  row.round = { ...row.round, answeredAt }
  unanswered.delete(roundId)
  insertSorted(waiting, row, compareResolvable)
  return { isFirst: true, lateCount: isLate ? answers.filter(({ status }) => status === 'PENDING').length : 0 }
}

function withoutPending(prediction: Prediction): Prediction {
  return prediction.status === 'PENDING' ? { ...prediction, ...storedLate } : prediction
}

function settle(
  rounds: Rounds,
  feeds: FeedTable,
  request: SettleRequest,
  decide: (due: DueRound) => RoundSettlement,
): SettleResult {
  const rows = dueRows(rounds.waiting, feeds, request)
  // All decisions are made and checked before any is applied, so an exception changes nothing.
  const settlements = rows.map((row) => {
    const due = dueRound(row, feeds, request)
    const settlement = decide(due)
    checkSettlement(due, settlement)
    return settlement
  })
  const settled = new Set<RoundRow>()
  let voidCount = 0
  for (const [index, row] of rows.entries()) {
    const settlement = settlements[index] as RoundSettlement
    row.refusedTruth =
      settlement.kind !== 'resolved' && settlement.isRefusal === true ? (settlement.reason ?? null) : null
    if (settlement.kind === 'wait') continue
    applySettlement(row, settlement)
    settled.add(row)
    if (settlement.kind === 'void') voidCount += 1
  }
  removeRows(rounds.waiting, rows, settled)
  rounds.voidCount += voidCount
  const last = rows.length >= request.limit ? rows.at(-1) : undefined
  return {
    resolvedCount: settled.size - voidCount,
    voidCount,
    waitingCount: rows.length - settled.size,
    next: last === undefined ? null : { resolvableAt: last.round.resolvableAt, id: last.round.id },
  }
}

function endOfResults({ byPerformedAt, byResolvableAt }: Rounds): Instant {
  const performedAt = byPerformedAt.at(-1)?.round.performedAt ?? Number.NEGATIVE_INFINITY
  const settled = byResolvableAt.findLast(({ round }) => round.status === 'RESOLVED' && round.voidReason === null)
  return Math.max(performedAt, settled?.round.resolvableAt ?? Number.NEGATIVE_INFINITY) + 1
}

function giveUp(rounds: Rounds, at: Instant, reason: string): number {
  const open = rounds.byResolvableAt.filter(({ round }) => round.status === 'RECEIVED')
  for (const row of open) {
    const moves = row.predictions.flatMap(({ id, status }) => (status === 'PENDING' ? [givenUp(id, reason)] : []))
    applySettlement(row, { kind: 'void', reason, moves })
    row.round = { ...row.round, answeredAt: row.round.answeredAt ?? at }
  }
  rounds.waiting.length = 0
  rounds.unanswered.clear()
  rounds.voidCount += open.length
  return open.length
}

function forget(rounds: Rounds, before: Instant, limit: number): number {
  const { byId, byPerformedAt, byResolvableAt } = rounds
  const isOld = ({ round }: RoundRow) => round.status === 'RESOLVED' && round.resolvableAt < before
  const old = new Set(byResolvableAt.filter(isOld).slice(0, limit))
  for (const rows of [byPerformedAt, byResolvableAt])
    rows.splice(0, rows.length, ...rows.filter((row) => !old.has(row)))
  for (const { round } of old) {
    byId.delete(round.id)
    if (round.voidReason !== null) rounds.voidCount -= 1
  }
  return old.size
}

function givenUp(predictionId: string, detail: string): PredictionMove {
  return { predictionId, to: 'FAILED', reason: 'contract_changed', blame: 'coordinator', detail }
}

/** Uses the round's instants instead of those in the answer. */
function ofRound({ performedAt, resolvableAt }: Round, prediction: Prediction): Prediction {
  const isSame = prediction.performedAt === performedAt && prediction.resolvableAt === resolvableAt
  return isSame ? prediction : { ...prediction, performedAt, resolvableAt }
}

function dueRows(waiting: readonly RoundRow[], feeds: FeedTable, request: SettleRequest): readonly RoundRow[] {
  const { now, limit, after } = request
  const reached = Math.max(now, feeds.newestWatermark() ?? now)
  const start = after === undefined ? 0 : firstIndex(waiting, ({ round }) => compareCursor(round, after) > 0)
  const due: RoundRow[] = []
  for (let index = start; index < waiting.length && due.length < limit; index += 1) {
    const row = waiting[index] as RoundRow
    const { resolvableAt, expiresAt, scope } = row.round
    if (resolvableAt > reached) break
    if (expiresAt <= now || (feeds.watermark(scope) ?? Number.NEGATIVE_INFINITY) >= resolvableAt) due.push(row)
  }
  return due
}

function dueRound(row: RoundRow, feeds: FeedTable, request: SettleRequest): DueRound {
  const { scope, performedAt, resolvableAt } = row.round
  const records: readonly FeedRecord[] = request.withRecords ? feeds.between(scope, performedAt, resolvableAt) : []
  return {
    round: row.round,
    predictions: row.predictions,
    entry: feeds.lastKnown(scope, performedAt),
    exit: feeds.lastKnown(scope, resolvableAt),
    records,
    evidence: roundEvidence(row.round, feeds, request),
  }
}

function roundEvidence(
  { scope, performedAt, resolvableAt }: Round,
  feeds: FeedTable,
  request: SettleRequest,
): RoundEvidence | null {
  const asked = request.evidence.find((candidate) => isSameScope(candidate.scope, scope))
  if (asked === undefined) return null
  const asOf = (at: Instant) => ({
    records: feeds.latest(scope, asked.recordCount, at),
    peer: asked.peer === null ? null : feeds.lastKnown(asked.peer, at),
  })
  const peerWatermarkAt = asked.peer === null ? null : feeds.watermark(asked.peer)
  return { entry: asOf(performedAt), exit: asOf(resolvableAt), peerWatermarkAt }
}

function applySettlement(row: RoundRow, settlement: Exclude<RoundSettlement, { kind: 'wait' }>): void {
  const moves = new Map(settlement.moves.map((move) => [move.predictionId, move]))
  row.predictions = row.predictions.map((prediction) => {
    const move = moves.get(prediction.id)
    if (move === undefined) return prediction
    return { ...prediction, status: move.to, reason: move.reason, blame: move.blame, detail: move.detail }
  })
  if (settlement.kind === 'void') {
    row.round = { ...row.round, status: 'RESOLVED', actuals: null, voidReason: settlement.reason }
    return
  }
  const scores = new Map(settlement.scores.map((score) => [score.predictionId, score]))
  row.scores = row.predictions.map((prediction) => scores.get(prediction.id) ?? null)
  row.missingValue = settlement.missingValue
  row.round = { ...row.round, status: 'RESOLVED', actuals: settlement.actuals }
}

/** Removes resolved rows, which lie close together between the first and last considered row. */
function removeRows(waiting: RoundRow[], looked: readonly RoundRow[], resolved: ReadonlySet<RoundRow>): void {
  const first = looked[0]
  const last = looked.at(-1)
  if (first === undefined || last === undefined || resolved.size === 0) return
  const start = firstIndex(waiting, (row) => compareResolvable(row, first) >= 0)
  const end = firstIndex(waiting, (row) => compareResolvable(row, last) > 0)
  const kept = waiting.slice(start, end).filter((row) => !resolved.has(row))
  waiting.splice(start, end - start, ...kept)
}

function roundsBetween(rows: readonly RoundRow[], from: Instant, to: Instant): readonly RoundRow[] {
  const begin = firstIndex(rows, ({ round }) => round.resolvableAt >= from)
  return rows.slice(
    begin,
    Math.max(
      begin,
      firstIndex(rows, ({ round }) => round.resolvableAt >= to),
    ),
  )
}

function periodResults(rows: readonly RoundRow[], from: Instant, to: Instant): readonly PeriodResult[] {
  const results: PeriodResult[] = []
  for (let index = firstIndex(rows, ({ round }) => round.resolvableAt >= from); index < rows.length; index += 1) {
    const { round, predictions, scores, missingValue } = rows[index] as RoundRow
    if (round.resolvableAt >= to) break
    if (round.voidReason !== null) continue
    for (const [position, prediction] of predictions.entries()) {
      const score = scores[position] ?? null
      results.push({
        modelId: prediction.modelId,
        roundId: round.id,
        performedAt: round.performedAt,
        resolvableAt: round.resolvableAt,
        missingValue,
        predictionStatus: prediction.status,
        blame: prediction.blame,
        scoreKind: score?.kind ?? null,
        value: score?.value ?? null,
        signal: score?.signal ?? null,
        actual: score?.actual ?? null,
        contractVersion: score?.contractVersion ?? null,
      })
    }
  }
  return results
}

function predictionReports(rows: readonly RoundRow[], filter: PredictionFilter): readonly PredictionExport[] {
  const wanted = new Set(filter.modelIds)
  const newestFirst: PredictionExport[] = []
  let index = firstIndex(rows, ({ round }) => round.performedAt > filter.to) - 1
  for (; index >= 0 && newestFirst.length < filter.limit; index -= 1) {
    const { round, predictions, scores } = rows[index] as RoundRow
    if (round.performedAt < filter.from) break
    for (let position = predictions.length - 1; position >= 0 && newestFirst.length < filter.limit; position -= 1) {
      const prediction = predictions[position] as Prediction
      if (wanted.size > 0 && !wanted.has(prediction.modelId)) continue
      if (filter.before && comparePredictions(prediction, filter.before) >= 0) continue
      const { scheduleKey, scope, horizonMs, stepMs, actuals, voidReason } = round
      const score = scores[position] ?? null
      newestFirst.push({ prediction, scheduleKey, scope, horizonMs, stepMs, score, actuals, voidReason })
    }
  }
  return newestFirst.reverse()
}

function compareResolvable(left: RoundRow, right: RoundRow): number {
  return compareCursor(left.round, right.round)
}

function compareCursor(
  left: { resolvableAt: Instant; id: string },
  right: { resolvableAt: Instant; id: string },
): number {
  return left.resolvableAt - right.resolvableAt || compareText(left.id, right.id)
}

function comparePerformed(left: RoundRow, right: RoundRow): number {
  return left.round.performedAt - right.round.performedAt || compareText(left.round.id, right.round.id)
}
