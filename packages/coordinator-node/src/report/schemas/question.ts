import { z } from 'zod'

const seconds = z.number().meta({ description: 'In seconds.' })

/** Identifies a series. */
export const scopeFields = {
  source: z.string().meta({ examples: ['binance'] }),
  subject: z.string().meta({ examples: ['BTCUSDT'] }),
  kind: z.string().meta({ examples: ['candle'] }),
  granularity: z.string().meta({ examples: ['1m'] }),
}

/** What was asked. */
export const questionFields = {
  scope_key: z.string().meta({ examples: ['BTCUSDT-300'] }),
  scope: z.object({ subject: z.string(), horizon: seconds, step: seconds }),
  param: z.string().meta({ description: 'Subject, horizon and step.', examples: ['BTCUSDT-300-60'] }),
  ...scopeFields,
  asset: z.string().meta({ description: 'The same as `subject`.' }),
  horizon: seconds,
  step: seconds,
}
