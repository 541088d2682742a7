import { callAuthor, parseReturned } from '../../contract/author-code.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { type JsonObject, toJsonObject } from '../../domain/json/json.ts'
import type { Instant } from '../../domain/time.ts'

/**
 * What models are given: the contract's `input.build` over the records known at `at`, after its schema.
 * Throws an `AuthorError` when the function throws, or the schema refuses its value.
 */
export function buildInput(
  resolved: ResolvedContract,
  subject: string,
  records: readonly FeedRecord[],
  at: Instant,
): JsonObject {
  const { input } = resolved.contract
  const author = { path: 'input.build', owner: input, run: input.build }
  const built = callAuthor(author, { subject, records, at })
  return parseReturned(author, { path: 'input.schema', of: input.schema }, built, (parsed) =>
    toJsonObject(parsed, 'input'),
  )
}
