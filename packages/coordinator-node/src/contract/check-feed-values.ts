import type { Json } from '../domain/json/json.ts'
import { jsonEqual } from '../domain/json/json-equal.ts'
import type { AnyContract } from './crunch-contract.ts'
import type { FeedDefinition } from './feed-definition.ts'
import type { Finding } from './finding.ts'
import { sampleValues } from './sample-values.ts'
import { strictSchema } from './schema/strict-schema.ts'

/**
 * Records are stored and recorded with the values that their schema returns, and are parsed again in a replay, after a restart
 * and in another process. So the schema must return its own results unchanged.
 */
export function checkFeedValues(contract: AnyContract): Finding[] {
  const feeds: readonly FeedDefinition[] = [contract.feed].flat()
  return feeds.flatMap(({ values }, index) => {
    const changed = sampleValues(values, 3).find((value) => !isKept(values, value))
    if (changed === undefined) return []
    return [
      {
        path: Array.isArray(contract.feed) ? `feed[${index}].values` : 'feed.values',
        cause: `does not return its own result unchanged: ${JSON.stringify(changed)}`,
        fix: 'transform in input.build and truth.resolve instead: records pass this schema again when they are replayed',
      },
    ]
  })
}

function isKept(schema: FeedDefinition['values'], value: unknown): boolean {
  try {
    return jsonEqual(strictSchema(schema).parse(value) as Json, value as Json)
  } catch {
    return false
  }
}
