/**
 * When a feed is not to be trusted. While one of its series is not, no round opens on it, and no round is scored by what was
 * known of it then.
 */
export interface GateOptions<Watch extends string = string> {
  /** The value that `maxJump` and `agree` look at; by default `close` of candles and `price` of ticks. */
  readonly watch?: Watch
  /** So many records in a row with exactly the same values are a frozen feed: 2 to 1,000. */
  readonly frozenAfter?: number
  /** How much the value may change from one record to the next, relative to the earlier one: 0.1 is a tenth. */
  readonly maxJump?: number
  /** Another series of the contract that has to say the same. It is the reference, and is not compared with itself. */
  readonly agree?: {
    /** Its subject. */
    readonly with: string
    /** Its source, by default that of this feed. */
    readonly source?: string
    /** How far apart the two may be, relative to the other one: 0.01 is a hundredth. */
    readonly within: number
  }
}
