/** What `tick` brings: closes of one subject's last two hours of finished candles, oldest first. */
export interface TickData {
  readonly subject: string
  readonly closes: readonly number[]
}

/** What `predict` answers: -1 is surely down, 1 is surely up, 0 is no opinion. */
export interface Prediction {
  readonly value: number
}
