import { callAuthor, ifAuthorFails, parseReturned } from '../../contract/author-code.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { type FeedRecord, type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import { type JsonObject, toJsonObject } from '../../domain/json/json.ts'
import type { Instant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import { inputRefused } from '../../ports/refused-inputs.ts'

export type BuiltInput = { readonly input: JsonObject } | { readonly refusal: string }

/**
 * The input of the models: the result of the contract's `input.build` for the records known at `at`, parsed by its schema. If
 * the contract cannot build it, the reason, which is also logged.
 */
export function buildInput(
  resolved: ResolvedContract,
  log: Log,
  scope: FeedScope,
  records: readonly FeedRecord[],
  at: Instant,
): BuiltInput {
  const { input } = resolved.contract
  const author = { path: 'input.build', owner: input, run: input.build }
  const build = (): BuiltInput => {
    const built = callAuthor(author, { subject: scope.subject, records, at })
    return parseReturned(author, { path: 'input.schema', of: input.schema }, built, (parsed) => ({
      input: toJsonObject(parsed, 'input'),
    }))
  }
  return ifAuthorFails(build, (reason) => {
    log.error(inputRefused, { stage: 'input', scope: feedScopeKey(scope), reason })
    return { refusal: reason }
  })
}
