import type { Prediction, TickData } from './question.ts'

/**
 * What every model of this competition extends. The node calls `tick` for each new record and `predict` when a round is
 * due, one call at a time, on one instance that lives as long as its process.
 */
export abstract class TrackerBase {
  readonly #newest = new Map<string, TickData>()

  /** New data of one subject. Override it to keep more than the newest, and call `super.tick(data)`. */
  tick(data: TickData): void {
    this.#newest.set(data.subject, data)
  }

  /**
   * The answer to one round. It must come within the contract's timeout; throwing is an answer that counts as failed.
   * @param subject which series is asked about
   * @param horizon how far ahead, seconds
   * @param step resolution of the answer, seconds; the horizon itself where one value is asked for
   */
  abstract predict(subject: string, horizon: number, step: number): Prediction

  /** The newest data of a subject, `undefined` before its first tick. */
  protected dataOf(subject: string): TickData | undefined {
    return this.#newest.get(subject)
  }
}
