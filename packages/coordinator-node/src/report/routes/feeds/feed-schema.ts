import { z } from 'zod'
import { count, textOrNull, zonedTime } from '../../schemas/fields.ts'
import { scopeFields } from '../../schemas/question.ts'

export const feedRow = z
  .object({
    ...scopeFields,
    record_count: count,
    missing_count: count
      .nullable()
      .meta({ description: 'Missing candles between the first and the newest; null without a grid.' }),
    oldest_ts: zonedTime.nullable(),
    newest_ts: zonedTime.nullable().meta({ description: "The provider's time of the newest record: a candle's open." }),
    watermark_ts: zonedTime.nullable().meta({ description: 'When the newest record became known.' }),
    watermark_updated_at: zonedTime.nullable(),
    revision_count: count.meta({ description: 'Records that arrived again with other values, which are not applied.' }),
    status: z.enum(['up', 'stale', 'frozen', 'suspect', 'down']),
    status_reason: textOrNull,
    status_since: zonedTime,
  })
  .meta({ id: 'Feed' })
