import { z } from 'zod'
import { count, role, textOrNull, zonedTime } from '../../schemas/fields.ts'

export const modelRow = z
  .object({
    model_id: z.string(),
    model_name: z.string(),
    cruncher_id: z.string(),
    cruncher_name: z.string(),
    username: z.string().meta({ description: 'The same as `cruncher_name`.' }),
    role,
    deployment_id: z.string().meta({ description: 'The deployment that the node set up last.' }),
    registered_at: zonedTime,
    retired_at: zonedTime.nullable().meta({ description: 'Null while the model takes part.' }),
    retirement_reason: textOrNull,
  })
  .meta({ id: 'Model' })

export const predictionStatus = z.enum(['PENDING', 'SCORED', 'FAILED', 'ABSENT'])
export const blame = z.enum(['model', 'coordinator'])

export const activityRow = z
  .object({
    model_id: z.string(),
    model_name: z.string(),
    since: zonedTime,
    counts: z.record(predictionStatus, count),
    reasons: z
      .record(z.string(), count)
      .meta({ description: 'How often each reason of a missing answer was given.', examples: [{ timeout: 2 }] }),
    latency_ms: z
      .object({ p50: z.number(), p95: z.number(), max: z.number() })
      .nullable()
      .meta({ description: 'Of valid answers; null without one.' }),
    last_prediction_at: zonedTime.nullable(),
    last_answer_at: zonedTime.nullable(),
    last_problem: z
      .object({
        status: predictionStatus,
        reason: z.string(),
        blame: blame.nullable(),
        detail: textOrNull,
        at: zonedTime,
      })
      .nullable(),
  })
  .meta({ id: 'ModelActivity' })
