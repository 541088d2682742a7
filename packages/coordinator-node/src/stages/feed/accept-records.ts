import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { strictSchema } from '../../contract/schema/strict-schema.ts'
import { type FeedRecord, feedScopeKey } from '../../domain/feed-record.ts'
import { issueTexts } from '../../domain/json/issue-text.ts'
import { toJsonObject } from '../../domain/json/json.ts'
import { formatInstant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'

/** The records of the contract's series, with values parsed by its schemas. Other records are logged and dropped. */
export function acceptRecords(resolved: ResolvedContract, log: Log, records: readonly FeedRecord[]): FeedRecord[] {
  const schemas = new Map(
    resolved.feeds.map((feed) => [feedScopeKey(feed.scope), strictSchema(feed.definition.values as z.ZodType)]),
  )
  return records.flatMap((record) => {
    const key = feedScopeKey(record)
    const schema = schemas.get(key)
    try {
      if (schema === undefined) throw new TypeError('no feed of the contract carries this series')
      return [{ ...record, values: toJsonObject(schema.parse(record.values), 'values') }]
    } catch (error) {
      const reason = error instanceof z.ZodError ? issueTexts(error.issues, record.values, 'values') : errorText(error)
      log.error('a record was rejected', { stage: 'feed', scope: key, eventAt: formatInstant(record.eventAt), reason })
      return []
    }
  })
}
