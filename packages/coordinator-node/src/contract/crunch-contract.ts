import type { z } from 'zod'
import type { Direction, NewcomerPolicy } from '../domain/leaderboard.ts'
import type { MetricName } from '../domain/metrics.ts'
import type { Duration, Instant } from '../domain/time.ts'
import type { ModelArgument } from '../ports/model-runner.ts'
import type { Emission } from './defaults/tiers.ts'
import type { FeedDefinition, RecordOf, SubjectOf } from './feed-definition.ts'
import type { NumericField } from './numeric-fields.ts'

/** Which question a round asks. */
export interface RoundContext<Subject extends string = string> {
  readonly scheduleKey: string
  readonly subject: Subject
  readonly performedAt: Instant
  readonly resolvableAt: Instant
  readonly horizonMs: number
  readonly stepMs: number
}

export interface ScheduleEntry<Subject extends string = string> {
  /** Unique in the contract; by default subject and horizon, `BTCUSDT-5m`. */
  readonly key?: string
  readonly subject: Subject
  /** The grid of rounds: at most one a cell. */
  readonly every: Duration
  /** How far ahead models predict. */
  readonly horizon: Duration
  /** The resolution that models are asked for; by default the horizon. */
  readonly step?: Duration
  /** `record` (default): when a new record is known; `clock`: on the grid instants of `every`. */
  readonly on?: 'record' | 'clock'
}

type Feeds<Feed> = Feed | readonly Feed[]

/**
 * What a competition IS, in the order in which data flows. Everything is inferred from the schemas: annotate nothing.
 * The functions are pure and synchronous; whatever they throw is that round's or prediction's outcome, with the reason.
 */
export interface CrunchContract<
  Feed extends FeedDefinition,
  Input extends z.ZodType,
  Output extends z.ZodType,
  Truth extends z.ZodType,
  Score extends z.ZodType,
  Window extends string,
> {
  /** Letters, digits and hyphens. */
  readonly name: string
  readonly feed: Feeds<Feed>
  /**
   * Names of models by which the others are measured. They belong to the organizer (the cruncher that the node's settings
   * name), are marked on every board, and are neither ranked nor paid; a participant's model cannot take such a name.
   */
  readonly baselines?: readonly string[]

  readonly input: {
    readonly schema: Input
    /** How far back `records` reach. */
    readonly window: Duration
    /** What models are given, from the records known at `at` (oldest first, the newest last). */
    build(context: {
      readonly subject: SubjectOf<Feed>
      readonly records: readonly RecordOf<Feed>[]
      readonly at: Instant
    }): z.input<Input>
  }

  readonly prediction: {
    readonly schema: Output
    readonly schedule: readonly ScheduleEntry<SubjectOf<Feed>>[]
    /** How long models may take; wall time. */
    readonly timeout: Duration
    /**
     * What a missing answer scores when that is the model's fault: `worst` (default), the worst valid score of the round;
     * `exclude`, nothing; or a function of the round's valid scores (`null`: nothing).
     */
    readonly missing?:
      | 'worst'
      | 'exclude'
      | ((context: { readonly scores: readonly z.output<NoInfer<Score>>[] }) => z.input<NoInfer<Score>> | null)
    /**
     * How many values an answer may hold at most: 10,000 by default, up to 100,000. Each number, text, list and object is one. All its
     * texts and keys together may have 16 times as many characters. A larger answer is refused, as the model's fault.
     */
    readonly maxValues?: number
    /** How models are called; by default `tick(input)`, then `predict(subject, horizon s, step s)`. */
    readonly call?: {
      /** `false`: models are not told of records between rounds. */
      readonly tick?: string | false
      readonly predict?: string
      arguments?(round: RoundContext<SubjectOf<Feed>>): readonly ModelArgument[]
    }
  }

  readonly truth: {
    readonly schema: Truth
    /** How old the exit may be at the horizon; by default a fifth of the horizon, at least one granularity. */
    readonly maxStaleness?: Duration
    /** How long after the horizon an unknown truth makes a round void; by default the horizon, at least one hour. */
    readonly expire?: Duration
    /** Whether `resolve` reads `records`; they cost a query over the whole horizon. */
    readonly records?: boolean
    /**
     * `entry`: the last record known when the prediction was made; `exit`: the last known at its horizon; `records`: those
     * known in between, empty unless asked for. `null`: not known yet.
     */
    resolve(context: {
      readonly entry: RecordOf<Feed>
      readonly exit: RecordOf<Feed>
      readonly records: readonly RecordOf<Feed>[]
      readonly round: RoundContext<SubjectOf<Feed>>
    }): z.input<Truth> | null
  }

  readonly score: {
    readonly schema: Score
    compute(context: {
      readonly output: z.output<Output>
      readonly truth: z.output<Truth>
      readonly round: RoundContext<SubjectOf<Feed>>
    }): z.input<Score>
  }

  readonly snapshot: {
    /** The grid of snapshots. */
    readonly every: Duration
    readonly metrics?: readonly MetricName[]
    /** A prediction as one number, for the metrics that compare predictions. */
    signal?(context: { readonly output: z.output<Output> }): number
    /** The truth as one number, on the same scale. */
    actual?(context: { readonly truth: z.output<Truth> }): number
    /** Reserved: ensembles come with the scoring science. */
    readonly ensembles?: readonly never[]
  }

  readonly leaderboard: {
    /** A field of the score that is a number. */
    readonly value: NumericField<z.output<NoInfer<Score>>>
    /** Named rolling windows, back from the newest closed period. */
    readonly windows: Readonly<Record<Window, Duration>>
    readonly rankBy: NoInfer<Window>
    readonly direction: Direction
    /**
     * What becomes of a model that has no row in some rounds of the window, since it joined late or was retired. `wait`
     * (default): it is listed without a rank until it has answered `minCoverage`; `worst`: those rounds score as the round's
     * worst valid score; `own`: only rounds in which it had a row count.
     */
    readonly newcomers?: NewcomerPolicy
    /**
     * For `wait`: the share of ALL rounds of the ranking window, 0 to 1, that a model has to have answered to be ranked.
     * 0.8 by default.
     */
    readonly minCoverage?: number
  }

  readonly checkpoint: {
    /** The grid of payouts: a whole number of snapshot periods. */
    readonly every: Duration
    /**
     * The share of ALL rounds of the period, 0 to 1, that a model has to have answered to be paid. 0 (default) still needs
     * one valid answer.
     */
    readonly minCoverage?: number
    readonly emission: Emission
  }
}

/** Any contract, for code that does not know which. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where a contract's schemas are unknown; methods are bivariant, so no cast is needed
export type AnyContract = CrunchContract<any, any, any, any, any, any>

/**
 * Types a contract from its schemas; at run time it returns its argument. The start-up check does the rest.
 * @example export default defineContract({ name: 'next-move', feed: market, ... })
 */
export function defineContract<
  const Feed extends FeedDefinition,
  Input extends z.ZodType,
  Output extends z.ZodType,
  Truth extends z.ZodType,
  Score extends z.ZodType,
  const Window extends string,
>(
  contract: CrunchContract<Feed, Input, Output, Truth, Score, Window>,
): CrunchContract<Feed, Input, Output, Truth, Score, Window> {
  return contract
}
