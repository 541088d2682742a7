import { defineContract, series, tiers } from '@crunch/coordinator-node'
import { predictionLimits, scorePrediction } from 'crunch-template-challenge'
import { z } from 'zod'

/** One row per day and city, known at the end of the day: the recording's `known_at`. */
const weather = series({
  source: 'noaa',
  subjects: ['Seattle', 'New York'],
  kind: 'daily',
  granularity: '1d',
  values: z.object({
    temp_max: z.number(),
    temp_min: z.number(),
    precipitation: z.number(),
    wind: z.number(),
  }),
})

export default defineContract({
  name: 'crunch-template',
  feed: weather,
  // The organizer's models, never ranked or paid. `climatology` only uses the season; a model that is not better earns nothing.
  baselines: ['climatology'],

  input: {
    schema: z.object({
      subject: z.string(),
      days: z.array(
        z.object({
          /** `2012-01-31` */
          date: z.string(),
          /** The day's maximum temperature, degrees Celsius. */
          tempMax: z.number(),
        }),
      ),
    }),
    window: '30d',
    build: ({ subject, records }) => ({
      subject,
      days: records.map((record) => ({
        date: new Date(record.eventAt).toISOString().slice(0, 10),
        tempMax: record.values.temp_max,
      })),
    }),
  },

  prediction: {
    schema: z.object({
      /** Degrees Celsius. */
      mean: z.number().min(predictionLimits.lowestMean).max(predictionLimits.highestMean),
      /** Standard deviation, degrees Celsius. */
      std: z.number().min(predictionLimits.lowestStd).max(predictionLimits.highestStd),
    }),
    // A day's record becomes known at its end. The horizon then is the end of the next day: models predict its maximum.
    schedule: [
      { subject: 'Seattle', every: '1d', horizon: '1d' },
      { subject: 'New York', every: '1d', horizon: '1d' },
    ],
    timeout: '10s',
    missing: 'worst',
  },

  truth: {
    schema: z.object({ tempMax: z.number() }),
    // A round for a missing day must not be scored with the day before.
    maxStaleness: '12h',
    resolve: ({ entry, exit }) => (exit.eventAt > entry.eventAt ? { tempMax: exit.values.temp_max } : null),
  },

  score: {
    schema: z.object({ crps: z.number().nonnegative(), error: z.number() }),
    compute: ({ output, truth }) => scorePrediction(output, truth.tempMax),
  },

  snapshot: {
    every: '5d',
    metrics: ['ic', 'model_correlation'],
    signal: ({ output }) => output.mean,
    actual: ({ truth }) => truth.tempMax,
  },

  leaderboard: {
    value: 'crps',
    windows: { recent: '90d', steady: '180d', anchor: '365d' },
    rankBy: 'anchor',
    direction: 'asc',
    // A model is ranked once it has answered four fifths of all rounds in the window.
    newcomers: 'wait',
    minCoverage: 0.8,
  },

  // Pays models that answered at least half of the year's rounds and scored better than `climatology`.
  checkpoint: { every: '365d', minCoverage: 0.5, emission: tiers({ payAbove: { baseline: 'climatology' } }) },
})
