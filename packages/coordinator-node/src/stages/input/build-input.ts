import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { type JsonObject, toJsonObject } from '../../domain/json/json.ts'
import type { Instant } from '../../domain/time.ts'

/**
 * What models are given: the contract's `input.build` over the records known at `at`, after its schema.
 * Throws what the contract's function throws, or the schema's findings.
 */
export function buildInput(
  resolved: ResolvedContract,
  subject: string,
  records: readonly FeedRecord[],
  at: Instant,
): JsonObject {
  const { input } = resolved.contract
  return toJsonObject(input.schema.parse(input.build({ subject, records, at })), 'input')
}
