/**
 * The rules for distrusting the series of a feed. While a series is distrusted, no round opens on it, and no round is scored with
 * its data of that time.
 */
export interface GateOptions<Watch extends string = string> {
  /** The value that `maxJump` and `agree` compare. Default: `close` of candles, `price` of ticks. */
  readonly watch?: Watch
  /** A feed is frozen after this many records in a row with identical values: 2 to 1,000. */
  readonly frozenAfter?: number
  /** Maximum change from one record to the next, relative to the earlier one: 0.1 is 10 %. */
  readonly maxJump?: number
  /** A reference series of the contract to compare with. The reference itself is not compared. */
  readonly agree?: {
    /** Subject of the reference. */
    readonly with: string
    /** Source of the reference. Default: the source of this feed. */
    readonly source?: string
    /** Maximum difference, relative to the reference: 0.01 is 1 %. */
    readonly within: number
  }
}
