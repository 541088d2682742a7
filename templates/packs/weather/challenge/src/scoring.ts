/** A forecast of one number, in its unit. */
export interface NormalForecast {
  readonly mean: number
  /** Standard deviation. */
  readonly std: number
}

/**
 * Error function, to about 1e-15 absolute.
 *
 * Kummer's series has only positive terms, so there is no cancellation; above 6 the result differs from 1 by less than 1e-16.
 */
export function errorFunction(x: number): number {
  const size = Math.abs(x)
  if (size >= 6) return Math.sign(x)
  let term = size
  let sum = size
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (2 * size * size) / odd
    sum += term
  }
  return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size) * sum
}

/**
 * Continuous ranked probability score of a normal forecast, in degrees Celsius; lower is better, 0 is perfect.
 *
 * Closed form of Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", Journal of the
 * American Statistical Association 102 (2007), doi 10.1198/016214506000001437. It rewards an accurate mean and a
 * calibrated spread: one that is too narrow or too wide costs.
 */
export function crpsNormal(forecast: NormalForecast, observed: number): number {
  const { mean, std } = forecast
  if (!(std > 0)) throw new RangeError(`std must be more than 0, not ${std}`)
  const z = (observed - mean) / std
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  return std * (z * errorFunction(z / Math.SQRT2) + 2 * density - 1 / Math.sqrt(Math.PI))
}

/**
 * The score of one prediction, on the node and in back-tests, in degrees Celsius. `crps` is the error of the whole distribution,
 * `error` that of its mean: positive if it was too warm.
 */
export function scorePrediction(forecast: NormalForecast, observed: number) {
  return { crps: crpsNormal(forecast, observed), error: forecast.mean - observed }
}
