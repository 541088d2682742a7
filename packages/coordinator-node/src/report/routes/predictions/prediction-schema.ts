import { z } from 'zod'
import { naiveTime, numberOrNull, scoredRow, textOrNull } from '../../schemas/fields.ts'
import { scopeFields } from '../feeds/feed-schema.ts'
import { blame, predictionStatus } from '../models/model-schema.ts'

const seconds = z.number().meta({ description: 'In seconds.' })

export const predictionRow = scoredRow({
  id: z.string(),
  round_id: z.string(),
  model_id: z.string(),
  prediction_config_id: z.string().meta({ description: 'The key of the schedule.' }),
  scope_key: z.string().meta({ examples: ['BTCUSDT-300'] }),
  scope: z.object({ subject: z.string(), horizon: seconds, step: seconds }),
  param: z.string().meta({ description: 'Subject, horizon and step.', examples: ['BTCUSDT-300-60'] }),
  ...scopeFields,
  asset: z.string().meta({ description: 'The same as `subject`.' }),
  horizon: seconds,
  step: seconds,
  status: predictionStatus,
  reason: textOrNull.meta({ description: 'Why there is no valid answer, e.g. `timeout`.' }),
  blame: blame.nullable(),
  duration_ms: numberOrNull.meta({ description: 'From sending the call to having the answer.' }),
  score_value: numberOrNull.meta({ description: 'The field by which models are ranked.' }),
  score_kind: z
    .enum(['valid', 'imputed', 'failed'])
    .nullable()
    .meta({ description: 'Null while the truth is unknown.' }),
  score_failed: z.boolean().meta({ description: 'Charts show an alert. A prediction that waits has not failed.' }),
  score_failed_reason: textOrNull,
  contract_version: z
    .number()
    .int()
    .nullable()
    .meta({ description: "Version of the contract's code that computed the score: see `/reports/eras`." }),
  score_success: z.boolean(),
  scored_at: naiveTime.nullable(),
  performed_at: naiveTime,
  resolvable_at: naiveTime.meta({ description: 'From when on the truth can be known; UTC, without Z.' }),
}).meta({ id: 'Prediction' })
