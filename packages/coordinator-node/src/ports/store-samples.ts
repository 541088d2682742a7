import { type BackfillJob, newBackfillJob } from '../domain/backfill-job.ts'
import type { Checkpoint } from '../domain/checkpoint.ts'
import type { FeedRecord, FeedScope } from '../domain/feed-record.ts'
import { checkpointId, leaderboardId, predictionId, roundId, scoreId, snapshotId } from '../domain/ids.ts'
import type { JsonObject } from '../domain/json/json.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { ModelIdentity } from '../domain/models/model.ts'
import { addTotals, type Span } from '../domain/models/span.ts'
import type { PeriodRounds } from '../domain/period-rounds.ts'
import type { Prediction } from '../domain/prediction.ts'
import type { Round, Schedule } from '../domain/round.ts'
import type { Score } from '../domain/score.ts'
import type { Snapshot } from '../domain/snapshot.ts'
import type { Instant } from '../domain/time.ts'
import type { RoundFilter } from './reads/page-reads.ts'
import type { PredictionFilter } from './reads/report-reads.ts'
import type { Store } from './store.ts'
import type { BackfillPage } from './store-backfill.ts'
import type { EraEntry, NextEra } from './store-eras.ts'
import type { DueRound, RoundSettlement, SettleRequest } from './store-settlement.ts'

// Rows for the conformance suite of the store: each function returns a valid row, in which a test can override fields.

export const minuteMs = 60_000
export const start: Instant = Date.UTC(2026, 2, 1, 10)

/** The instant `count` minutes after {@link start}. */
export const minute = (count: number): Instant => start + count * minuteMs

export const btc: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
export const eth: FeedScope = { ...btc, subject: 'ETHUSDT' }

/** A candle that opens at minute `count` and is known a minute later. */
export function candle(count: number, values: JsonObject = { close: 100 + count }, scope: FeedScope = btc): FeedRecord {
  const { source, subject, kind, granularity } = scope
  const knownAt = minute(count + 1)
  return { source, subject, kind, granularity, eventAt: minute(count), knownAt, receivedAt: knownAt + 250, values }
}

export function schedule(overrides: Partial<Schedule> = {}): Schedule {
  const key = 'BTCUSDT-5m'
  return { key, scope: btc, everyMs: minuteMs, horizonMs: 5 * minuteMs, stepMs: minuteMs, on: 'record', ...overrides }
}

export function model(id: string, overrides: Partial<ModelIdentity> = {}): ModelIdentity {
  const name = `model ${id}`
  return { id, name, deploymentId: `deployment-${id}`, cruncherId: `c-${id}`, cruncherName: `C ${id}`, ...overrides }
}

/** A round of the sample schedule at minute `count`: resolvable 5 minutes later, void 1 minute after that. */
export function round(count: number, overrides: Partial<Round> = {}): Round {
  const scheduleKey = overrides.scheduleKey ?? 'BTCUSDT-5m'
  const performedAt = overrides.performedAt ?? minute(count)
  const horizonMs = overrides.horizonMs ?? 5 * minuteMs
  const resolvableAt = performedAt + horizonMs
  return {
    id: roundId(scheduleKey, performedAt),
    era: 1,
    scheduleKey,
    scope: btc,
    horizonMs,
    stepMs: minuteMs,
    performedAt,
    resolvableAt,
    expiresAt: resolvableAt + minuteMs,
    missedBefore: 0,
    input: { subject: 'BTCUSDT', closes: [1, 2, 3] },
    status: 'RECEIVED',
    answeredAt: null,
    actuals: null,
    voidReason: null,
    ...overrides,
  }
}

export function prediction(of: Round, modelId: string, overrides: Partial<Prediction> = {}): Prediction {
  return {
    id: predictionId(modelId, of.id),
    roundId: of.id,
    modelId,
    status: 'PENDING',
    output: { value: 0.5 },
    reason: null,
    blame: null,
    detail: null,
    durationMs: 12.5,
    performedAt: of.performedAt,
    resolvableAt: of.resolvableAt,
    ...overrides,
  }
}

export function score(of: Prediction, overrides: Partial<Score> = {}): Score {
  return {
    id: scoreId(of.id),
    predictionId: of.id,
    roundId: of.roundId,
    modelId: of.modelId,
    kind: 'valid',
    value: { value: 1.25, hit: true },
    reason: null,
    signal: 0.5,
    actual: 0.25,
    resolvableAt: of.resolvableAt,
    scoredAt: of.resolvableAt + 40,
    contractVersion: 1,
    ...overrides,
  }
}

/** A settlement that scores every pending prediction of the round. */
export function resolveAll(due: DueRound, overrides: Partial<Score> = {}): RoundSettlement {
  const pending = due.predictions.filter(({ status }) => status === 'PENDING')
  return {
    kind: 'resolved',
    actuals: { return: 0.01 },
    scores: pending.map((of) => score(of, overrides)),
    missingValue: 0.1 + 0.2,
    moves: pending.map(({ id }) => ({ predictionId: id, to: 'SCORED', reason: null, blame: null, detail: null })),
  }
}

/** A settlement that makes the round void. */
export function voidAll(due: DueRound, reason = 'truth_unavailable'): RoundSettlement {
  const pending = due.predictions.filter(({ status }) => status === 'PENDING')
  const detail = 'the feed was silent'
  const moves = pending.map(
    ({ id }) => ({ predictionId: id, to: 'FAILED', reason, blame: 'coordinator', detail }) as const,
  )
  return { kind: 'void', reason, moves }
}

export function settleRequest(overrides: Partial<SettleRequest> = {}): SettleRequest {
  return { now: minute(0), limit: 100, withRecords: false, evidence: [], ...overrides }
}

export function snapshot(modelId: string, endMinute: number, overrides: Partial<Snapshot> = {}): Snapshot {
  const periodEnd = minute(endMinute)
  return {
    id: snapshotId(modelId, periodEnd),
    era: 1,
    modelId,
    periodStart: periodEnd - 10 * minuteMs,
    periodEnd,
    scoreCount: 3,
    dueCount: 4,
    answeredCount: 3,
    roundCount: 5,
    validCount: 3,
    excusedCount: 1,
    unasked: { sum: -0.1, count: 2 },
    missed: { sum: -(0.1 + 0.7), count: 1 },
    contractVersions: { 1: 3 },
    sums: { value: { sum: 0.1 + 0.2, count: 3 } },
    metrics: { ic: null, hit_rate: 2 / 3 },
    ...overrides,
  }
}

/** The rounds of the ten minutes up to `endMinute`. */
export function periodRounds(endMinute: number, overrides: Partial<PeriodRounds> = {}): PeriodRounds {
  const periodEnd = minute(endMinute)
  return {
    periodStart: periodEnd - 10 * minuteMs,
    periodEnd,
    roundCount: 5,
    worst: { sum: -(0.1 + 0.2), count: 4 },
    missing: { sum: -(0.1 + 0.7), count: 3 },
    firstPerformedAt: periodEnd - 15 * minuteMs,
    ...overrides,
  }
}

/** A span of these periods and snapshots, both oldest first; ranked by the field `value`. */
export function spanOf(periods: readonly PeriodRounds[], snapshots: readonly Snapshot[]): Span {
  const span = { periods: [...periods], totals: new Map() }
  addTotals(span, snapshots, 'value')
  return span
}

export function leaderboard(endMinute: number, overrides: Partial<Leaderboard> = {}): Leaderboard {
  const asOf = minute(endMinute)
  const windows = { recent: 1 / 3, steady: null }
  const counts = { scoreCount: 3, validCount: 3, roundCount: 4, coverage: 0.75 }
  const entry = { modelId: 'a', rank: 1, unrankedReason: null, windows, metrics: { ic: null }, ...counts }
  return { id: leaderboardId(asOf), era: 1, asOf, rankBy: 'recent', direction: 'desc', entries: [entry], ...overrides }
}

export function checkpoint(endMinute: number, overrides: Partial<Checkpoint> = {}): Checkpoint {
  const periodEnd = minute(endMinute)
  const counts = { scoreCount: 3, dueCount: 4, answeredCount: 3, validCount: 3, roundCount: 4, coverage: 0.75 }
  const paid = { rewardFrac64: 1_000_000_000, unpaidReason: null, cruncherIndex: null }
  return {
    id: checkpointId(periodEnd),
    era: 1,
    periodStart: periodEnd - 60 * minuteMs,
    periodEnd,
    status: 'PENDING',
    snapshotCount: 6,
    contractVersions: { 1: 3 },
    entries: [{ modelId: 'a', rank: 1, value: 0.1, ...counts, ...paid }],
    floor: null,
    emissionReason: null,
    refusals: [],
    acknowledged: null,
    crunch: 'starter-challenge',
    computeProvider: null,
    dataProvider: null,
    transactionId: null,
    submittedAt: null,
    moves: [],
    createdAt: periodEnd + 5,
    ...overrides,
  }
}

type Unpaged = Omit<PredictionFilter, 'before'>

export function filter(overrides: Partial<Unpaged> = {}): Unpaged {
  return { modelIds: [], from: minute(-100_000), to: minute(100_000), limit: 1_000, ...overrides }
}

export function roundFilter(overrides: Partial<RoundFilter> = {}): RoundFilter {
  const bestBy = { field: 'value', direction: 'desc' } as const
  return { from: minute(-100_000), to: minute(100_000), scope: {}, after: null, limit: 100, bestBy, ...overrides }
}

export function eraEntry(overrides: Partial<EraEntry> = {}): EraEntry {
  return {
    competition: { crunchId: 'crunch', name: 'next-move' },
    structure: { value: 'one' },
    fingerprint: 'one',
    codeHash: 'code',
    at: minute(0),
    ...overrides,
  }
}

export function nextEra(overrides: Partial<NextEra> = {}): NextEra {
  return { after: 1, structure: { value: 'two' }, fingerprint: 'two', at: minute(60), ...overrides }
}

/** Registers the sample schedules and the models `a` and `b`. */
export async function prepare(store: Store, modelIds: readonly string[] = ['a', 'b']): Promise<void> {
  const eth5m = schedule({ key: 'ETHUSDT-5m', scope: eth })
  await store.putSchedules([schedule(), eth5m])
  await store.registerModels(
    modelIds.map((id) => model(id)),
    minute(0),
  )
}

/** Opens a round and records one PENDING answer per model. */
export async function answeredRound(store: Store, of: Round, modelIds: readonly string[] = ['a', 'b']): Promise<void> {
  await store.openRound(of)
  await store.recordAnswers(
    of.id,
    of.performedAt + 90,
    modelIds.map((id) => prediction(of, id)),
  )
}

/** A job for the first ten minutes of the sample candles, created at minute `count`. */
export function backfillJob(id: string, count = 0, overrides: Partial<BackfillJob> = {}): BackfillJob {
  const job = { id, scope: btc, from: minute(0), to: minute(10), target: 'tables', directory: null } as const
  return { ...newBackfillJob(job, minute(count)), ...overrides }
}

/** A page that ends at minute `count`, with three records. */
export function backfillPage(count: number): BackfillPage {
  return { cursor: minute(count), recordCount: 3, pageCount: 1, at: minute(20 + count) }
}
