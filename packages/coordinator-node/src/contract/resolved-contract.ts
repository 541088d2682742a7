import type { z } from 'zod'
import { type AnswerLimits, answerLimits, defaultMaxValues, limitForForms } from '../domain/answer-size.ts'
import { type EraSpan, onlyEra } from '../domain/era.ts'
import { type FeedScope, feedScopeKey } from '../domain/feed-record.ts'
import type { FeedGate } from '../domain/feed-trust.ts'
import type { NewcomerPolicy } from '../domain/leaderboard.ts'
import { defaultOrganizerId, type Organizer } from '../domain/models/model-role.ts'
import type { Round, Schedule } from '../domain/round.ts'
import { durationMs, formatDuration } from '../domain/time.ts'
import type { AnyContract, RoundContext, ScheduleEntry } from './crunch-contract.ts'
import type { FeedDefinition } from './feed-definition.ts'
import { resolveGate } from './feed-gate.ts'
import { schemaForms } from './schema-forms.ts'

/** A series of the contract with the definition it comes from. */
export interface ContractFeed {
  readonly scope: FeedScope
  readonly definition: FeedDefinition
  readonly granularityMs: number
  /** The conditions of trust; `null`: the series must only not be silent. */
  readonly gate: FeedGate | null
}

/** A checked contract with every duration in milliseconds and every default filled in. */
export interface ResolvedContract {
  readonly contract: AnyContract
  readonly feeds: readonly ContractFeed[]
  readonly schedules: readonly Schedule[]
  readonly inputWindowMs: number
  readonly timeoutMs: number
  readonly answerLimits: AnswerLimits
  readonly snapshotEveryMs: number
  readonly checkpointEveryMs: number
  readonly windows: readonly { readonly name: string; readonly lengthMs: number }[]
  readonly newcomers: NewcomerPolicy
  /** The share of the ranking window's rounds that a model must have answered to be ranked. */
  readonly minRankCoverage: number
  /** The share of a checkpoint's rounds that a model must have answered to be paid. */
  readonly minPayCoverage: number
  readonly organizer: Organizer
  readonly era: EraSpan
}

/** Default under `newcomers: 'wait'`. */
const defaultMinRankCoverage = 0.8

/** Fills in defaults. The contract must have passed the start-up check: a bad duration throws here without a path. */
export function resolveContract(
  contract: AnyContract,
  organizerCruncherId = defaultOrganizerId,
  era: EraSpan = onlyEra,
): ResolvedContract {
  const feeds = contractFeeds(contract)
  const newcomers = contract.leaderboard.newcomers ?? 'wait'
  return {
    contract,
    feeds,
    schedules: contract.prediction.schedule.map((entry) => resolveSchedule(entry, feeds)),
    inputWindowMs: durationMs(contract.input.window),
    timeoutMs: durationMs(contract.prediction.timeout),
    answerLimits: answerLimitsOf(contract),
    snapshotEveryMs: durationMs(contract.snapshot.every),
    checkpointEveryMs: durationMs(contract.checkpoint.every),
    windows: Object.entries<string>(contract.leaderboard.windows).map(([name, length]) => ({
      name,
      lengthMs: durationMs(length),
    })),
    newcomers,
    minRankCoverage: newcomers === 'wait' ? (contract.leaderboard.minCoverage ?? defaultMinRankCoverage) : 0,
    minPayCoverage: contract.checkpoint.minCoverage ?? 0,
    organizer: { cruncherId: organizerCruncherId, baselines: contract.baselines ?? [] },
    era,
  }
}

/** Limits on the answers of this contract's models. */
export function answerLimitsOf({ prediction: { schema, maxValues } }: AnyContract): AnswerLimits {
  return answerLimits(maxValues ?? defaultMaxValuesOf(schema))
}

/** `prediction.maxValues` of a contract that does not set it. */
export function defaultMaxValuesOf(schema: z.ZodType): number {
  return limitForForms(defaultMaxValues, schemaForms(schema))
}

/** The series of a contract, one a subject, in the contract's order. */
export function contractFeeds(contract: AnyContract): ContractFeed[] {
  const definitions: FeedDefinition[] = Array.isArray(contract.feed) ? contract.feed : [contract.feed]
  const all = definitions.flatMap((definition) =>
    definition.subjects.map((subject) => ({
      scope: { source: definition.source, subject, kind: definition.kind, granularity: definition.granularity },
      definition,
      granularityMs: durationMs(definition.granularity),
    })),
  )
  return all.map((series) => ({ ...series, gate: resolveGate(series, all) }))
}

/** The default key of a schedule entry. */
export function scheduleKey(entry: ScheduleEntry): string {
  return entry.key ?? `${entry.subject}-${formatDuration(durationMs(entry.horizon))}`
}

/** How old a round's exit may be at its horizon. */
export function maxStalenessMs(resolved: ResolvedContract, schedule: Schedule): number {
  const { maxStaleness } = resolved.contract.truth
  if (maxStaleness !== undefined) return durationMs(maxStaleness)
  return Math.max(schedule.horizonMs / 5, durationMs(schedule.scope.granularity))
}

/** How long after its horizon a round waits for its truth. */
export function expireMs(resolved: ResolvedContract, schedule: Pick<Schedule, 'horizonMs'>): number {
  const { expire } = resolved.contract.truth
  return expire === undefined ? Math.max(schedule.horizonMs, 3_600_000) : durationMs(expire)
}

function resolveSchedule(entry: ScheduleEntry, feeds: readonly ContractFeed[]): Schedule {
  const feed = feeds.find((candidate) => candidate.scope.subject === entry.subject)
  if (feed === undefined) {
    const known = feeds.map((candidate) => feedScopeKey(candidate.scope)).join(', ')
    throw new RangeError(`no feed has "${entry.subject}"; the contract's feeds are ${known}`)
  }
  const horizonMs = durationMs(entry.horizon)
  return {
    key: scheduleKey(entry),
    scope: feed.scope,
    everyMs: durationMs(entry.every),
    horizonMs,
    stepMs: entry.step === undefined ? horizonMs : durationMs(entry.step),
    on: entry.on ?? 'record',
  }
}

/** The information about a round that a contract's functions receive. */
export function roundContext(round: Round): RoundContext {
  const { scheduleKey, performedAt, resolvableAt, horizonMs, stepMs } = round
  return { scheduleKey, subject: round.scope.subject, performedAt, resolvableAt, horizonMs, stepMs }
}
