import type { z } from 'zod'
import type { Direction, NewcomerPolicy } from '../domain/leaderboard.ts'
import type { MetricName } from '../domain/statistics/metrics.ts'
import type { Duration, Instant } from '../domain/time.ts'
import type { ModelArgument } from '../ports/model-runner.ts'
import type { Emission } from './defaults/emission.ts'
import type { FeedDefinition, RecordOf, SubjectOf } from './feed-definition.ts'
import type { NumericField } from './numeric-fields.ts'
import type { AggregateContext, Places, RankContext } from './ranking/ranking-options.ts'

/** The question of a round. */
export interface RoundContext<Subject extends string = string> {
  /** Key of the line of `prediction.schedule`, e.g. `BTCUSDT-5m`. */
  readonly scheduleKey: string
  /** The subject to predict. */
  readonly subject: Subject
  /** When the round opened. Predictions use only data known at this time. */
  readonly performedAt: Instant
  /** The horizon as an instant, `performedAt + horizonMs`. From then on the truth can be known. */
  readonly resolvableAt: Instant
  /** How far ahead models predict, in milliseconds. */
  readonly horizonMs: number
  /** The resolution that models are asked for, in milliseconds. */
  readonly stepMs: number
}

/** A line of `prediction.schedule`: one question, asked repeatedly. */
export interface ScheduleEntry<Subject extends string = string> {
  /** Unique in the contract. Default: subject and horizon, `BTCUSDT-5m`. */
  readonly key?: string
  /** The subject to predict. */
  readonly subject: Subject
  /** The grid of rounds: at most one round per cell. */
  readonly every: Duration
  /** How far ahead models predict. */
  readonly horizon: Duration
  /** The resolution that models are asked for. Default: the horizon. */
  readonly step?: Duration
  /** When rounds open. `record` (default): when a new record is known; `clock`: at the grid instants of `every`. */
  readonly on?: 'record' | 'clock'
}

type Feeds<Feed> = Feed | readonly Feed[]

/** What `input.build` receives. With several feeds it is a union: comparing `subject` narrows `records`. */
type InputContext<Feed extends FeedDefinition> = Feed extends FeedDefinition
  ? {
      readonly subject: SubjectOf<Feed>
      readonly records: readonly RecordOf<Feed>[]
      readonly at: Instant
    }
  : never

/**
 * The definition of a competition, in the order in which data flows. All types are inferred from the schemas: annotate nothing.
 * The functions are pure and synchronous; an error that they throw becomes the reason of that round or prediction.
 */
export interface CrunchContract<
  Feed extends FeedDefinition,
  Input extends z.ZodType,
  Output extends z.ZodType,
  Truth extends z.ZodType,
  Score extends z.ZodType,
  Window extends string,
> {
  /** Name of the competition: letters, digits and hyphens. */
  readonly name: string
  /** The data feeds: `candles()`, `ticks()` or `series()`. */
  readonly feed: Feeds<Feed>
  /**
   * Names of the organizer's models to compare with. Their cruncher is the setting `ORGANIZER_CRUNCHER_ID`. They are marked on
   * every board and are neither ranked nor paid. A participant's model cannot have such a name.
   */
  readonly baselines?: readonly string[]

  /** What models receive. */
  readonly input: {
    /** The input of a model. */
    readonly schema: Input
    /** How far back `records` reach. */
    readonly window: Duration
    /**
     * Builds the input of one subject from its records known at `at`, oldest first. With several feeds, comparing `subject`
     * narrows `records`.
     */
    build(context: InputContext<Feed>): z.input<Input>
  }

  /** What models are asked, and when. */
  readonly prediction: {
    /** A valid answer. */
    readonly schema: Output
    /** Which rounds open, and when. */
    readonly schedule: readonly ScheduleEntry<SubjectOf<Feed>>[]
    /** How long a model may take to answer, in wall time; shorter than every horizon. */
    readonly timeout: Duration
    /**
     * The score of an answer that is missing because of the model. `worst` (default): the worst valid score of the round;
     * `exclude`: none; or a function of the round's valid scores (`null`: none).
     */
    readonly missing?:
      | 'worst'
      | 'exclude'
      | ((context: { readonly scores: readonly z.output<NoInfer<Score>>[] }) => z.input<NoInfer<Score>> | null)
    /**
     * The maximum number of values in an answer, up to 100,000. Each number, string, list and object is one. All strings and
     * keys together may have 16 times as many characters. A larger answer is refused and blamed on the model. Default: 10,000; for
     * a schema whose unions have more than 3 forms, 30,000 divided by the number of forms.
     */
    readonly maxValues?: number
    /**
     * When the API shows answers to everybody. `with truth` (default): after the truth of the round is known, so that answers cannot
     * be copied. `at once`: as soon as they are stored.
     */
    readonly reveal?: 'with truth' | 'at once'
    /** How models are called. Default: `tick(input)`, then `predict(subject, horizon, step)`, both in seconds. */
    readonly call?: {
      /** The method that receives inputs. `false`: models receive no records between rounds. Default: `tick`. */
      readonly tick?: string | false
      /** The method that returns an answer. Default: `predict`. */
      readonly predict?: string
      /** The arguments of `predict`. Default: subject, horizon and step in seconds. */
      arguments?(round: RoundContext<SubjectOf<Feed>>): readonly ModelArgument[]
    }
  }

  /** What actually happened. */
  readonly truth: {
    /** The truth of a round. */
    readonly schema: Truth
    /** Maximum age of the `exit` record at the horizon. Default: a fifth of the horizon, at least one granularity. */
    readonly maxStaleness?: Duration
    /** How long after the horizon a round without truth becomes void. Default: the horizon, at least one hour. */
    readonly expire?: Duration
    /** Whether `resolve` receives `records`, which needs a query over the whole horizon. Default: `false`. */
    readonly records?: boolean
    /**
     * Computes the truth. `entry`: the last record known when the prediction was made; `exit`: the last one known at its
     * horizon; `records`: those known in between, empty unless `records` is `true`. With several feeds, `kind` or `subject` of
     * a record narrows its values. Return `null` while the truth is not known.
     */
    resolve(context: {
      readonly entry: RecordOf<Feed>
      readonly exit: RecordOf<Feed>
      readonly records: readonly RecordOf<Feed>[]
      readonly round: RoundContext<SubjectOf<Feed>>
    }): z.input<Truth> | null
  }

  /** How good an answer was. */
  readonly score: {
    /** A score; every number in it is averaged. A description, or a `unit` in the `.meta()` of a field, is shown to participants. */
    readonly schema: Score
    /** The unit of `leaderboard.value`, for boards and charts, e.g. `°C` or `bp`: up to 20 characters. Default: none. */
    readonly unit?: string
    /** Scores a valid answer. */
    compute(context: {
      readonly output: z.output<Output>
      readonly truth: z.output<Truth>
      readonly round: RoundContext<SubjectOf<Feed>>
    }): z.input<Score>
  }

  /** Each model's results over one period. */
  readonly snapshot: {
    /** The grid of snapshots. */
    readonly every: Duration
    /** Metrics of each snapshot: `ic`, `hit_rate`, `max_drawdown`, `model_correlation`. Default: none. */
    readonly metrics?: readonly MetricName[]
    /** The prediction as one number, for metrics that compare predictions. `output` is the one that `score.compute` gets. */
    signal?(context: { readonly output: z.output<Output> }): number
    /** The truth as one number, on the same scale. `truth` is the one that `score.compute` gets. */
    actual?(context: { readonly truth: z.output<Truth> }): number
  }

  /** How models are ranked. */
  readonly leaderboard: {
    /** The number in the score by which models rank. */
    readonly value: NumericField<z.output<NoInfer<Score>>>
    /** Rolling windows by name, each ending at the newest closed period. */
    readonly windows: Readonly<Record<Window, Duration>>
    /** The window that ranks. */
    readonly rankBy: NoInfer<Window>
    /** Whether low (`asc`) or high (`desc`) values are better. */
    readonly direction: Direction
    /**
     * How to rank a model that joined within the window. `wait` (default): it is listed without a rank until it reaches
     * `minCoverage`; `worst`: earlier rounds count with the round's worst valid score; `own`: they do not count. Later rounds
     * in which it was retired count as missing answers.
     */
    readonly newcomers?: NewcomerPolicy
    /**
     * With `wait`: the share of ALL rounds of the ranking window, 0 to 1, that a model must have answered to be ranked.
     * Default: 0.8.
     */
    readonly minCoverage?: number
    /**
     * Computes the value of a model in a window; default: the mean of its scores. Also used at checkpoints, over their period. Returns a
     * finite number, or `null` for no value: the model is then neither ranked nor paid. Not called if the model's rows have no score.
     */
    aggregate?(context: AggregateContext): number | null
    /**
     * Orders the models that can be ranked, best first; default: by their values. Also used at checkpoints, for the models that can be
     * paid. Models of equal rank form a nested list: `['b', ['a', 'c']]`; `placesBy` makes such lists. `payAbove` still compares values.
     */
    rank?(context: RankContext<NoInfer<Window>>): Places
  }

  /** How models are paid. */
  readonly checkpoint: {
    /** The grid of payouts: a whole number of snapshot periods. */
    readonly every: Duration
    /**
     * The share of ALL rounds of the period, 0 to 1, that a model must have answered to be paid. 0 (default) still requires
     * one valid answer.
     */
    readonly minCoverage?: number
    /** How a payout is divided, e.g. `tiers()`. */
    readonly emission: Emission
  }
}

/** Any contract, for code that is independent of its schemas. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where a contract's schemas are unknown; methods are bivariant, so no cast is needed
export type AnyContract = CrunchContract<any, any, any, any, any, any>

/**
 * Types a contract from its schemas; at run time it returns its argument. It never throws: `crunch check` and the node validate
 * the contract and report every finding. A complete contract is in the comment of this package's entry.
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
