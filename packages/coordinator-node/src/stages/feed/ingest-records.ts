import { z } from 'zod'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { type FeedRecord, feedScopeKey } from '../../domain/feed-record.ts'
import { toJsonObject } from '../../domain/json/json.ts'
import { formatInstant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { AppendedRecords, Store } from '../../ports/store.ts'

export interface IngestPorts {
  readonly store: Pick<Store, 'appendRecords'>
  readonly log: Log
}

/** The result of ingesting a batch. */
export interface IngestedRecords extends AppendedRecords {
  /** Records that the contract's feed schema refuses, or that no feed of the contract carries; logged, never stored. */
  readonly rejectedCount: number
}

/** Checks records against the contract's feeds and stores them. Revisions and rejects are warned about. */
export async function ingestRecords(
  resolved: ResolvedContract,
  ports: IngestPorts,
  records: readonly FeedRecord[],
): Promise<IngestedRecords> {
  const valid = acceptRecords(resolved, ports.log, records)
  const appended = await ports.store.appendRecords(valid)
  for (const revision of appended.revisions) {
    ports.log.warn('a provider revised a record; the first version is kept', {
      stage: 'feed',
      scope: feedScopeKey(revision),
      eventAt: formatInstant(revision.eventAt),
    })
  }
  return { ...appended, rejectedCount: records.length - valid.length }
}

/** The records that the contract knows, with values as its schema gives them. */
export function acceptRecords(resolved: ResolvedContract, log: Log, records: readonly FeedRecord[]): FeedRecord[] {
  const schemas = new Map(resolved.feeds.map((feed) => [feedScopeKey(feed.scope), feed.definition.values as z.ZodType]))
  return records.flatMap((record) => {
    const key = feedScopeKey(record)
    const schema = schemas.get(key)
    try {
      if (schema === undefined) throw new TypeError('no feed of the contract carries this series')
      return [{ ...record, values: toJsonObject(schema.parse(record.values), 'values') }]
    } catch (error) {
      const reason = refusal(error)
      log.error('a record was rejected', { stage: 'feed', scope: key, eventAt: formatInstant(record.eventAt), reason })
      return []
    }
  })
}

function refusal(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error)
  return error.issues.map((issue) => `${issue.path.join('.') || 'values'}: ${issue.message}`).join('; ')
}
