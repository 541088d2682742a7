import { z } from 'zod'
import { contractValue, naiveTime, numberOrNull, scoredRow, textOrNull, zonedTime } from '../../schemas/fields.ts'
import { questionFields } from '../../schemas/question.ts'
import { blame, predictionStatus } from '../models/model-schema.ts'

export const predictionRow = scoredRow({
  id: z.string(),
  round_id: z.string(),
  model_id: z.string(),
  prediction_config_id: z.string().meta({ description: 'The key of the schedule.' }),
  ...questionFields,
  status: predictionStatus,
  reason: textOrNull.meta({ description: 'Why there is no valid answer, e.g. `timeout`.' }),
  blame: blame.nullable(),
  duration_ms: numberOrNull.meta({ description: 'From sending the call to having the answer.' }),
  output: contractValue.meta({ description: 'The answer; null without a valid one, and while it is hidden.' }),
  hidden_until: zonedTime.nullable().meta({
    description:
      'While the truth is unknown, only the owner and admins see the answer: from about then on, all do. UTC, with Z.',
  }),
  truth: contractValue.meta({ description: 'Null until it is known, and in a void round.' }),
  void_reason: textOrNull.meta({ description: 'Why the round has no truth and counts for no model.' }),
  score: z.record(z.string(), z.unknown()).nullable().meta({ description: 'Every field of the score.' }),
  score_value: numberOrNull.meta({ description: 'The field by which models are ranked.' }),
  signal_value: numberOrNull.meta({
    description:
      "The contract's number of the answer (`snapshot.signal`), which can be compared with `actual_value`; null until it is scored.",
  }),
  actual_value: numberOrNull.meta({ description: "The contract's number of the truth (`snapshot.actual`)." }),
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
