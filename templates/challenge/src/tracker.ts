import type { Prediction, TickData } from './question.ts'

/**
 * The base class of every model of this competition. The node calls `tick` for each new record and `predict` when a round is
 * due, one call at a time, always on the same instance of the process.
 */
export abstract class TrackerBase {
  readonly #newest = new Map<string, TickData>()

  /** Receives new data of one subject. To keep more than the newest data, override it and call `super.tick(data)`. */
  tick(data: TickData): void {
    this.#newest.set(data.subject, data)
  }

  /**
   * The answer to one round. It must be returned within the contract's timeout; an exception counts as a failed answer.
   * @param subject the series to predict
   * @param horizon how far ahead to predict, in seconds
   * @param step resolution of the answer in seconds; equal to the horizon if the answer is one value
   */
  abstract predict(subject: string, horizon: number, step: number): Prediction

  /** The newest data of a subject, `undefined` before its first tick. */
  protected dataOf(subject: string): TickData | undefined {
    return this.#newest.get(subject)
  }
}
