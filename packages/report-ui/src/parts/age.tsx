import { wallNow } from '../data/competition-time.ts'
import type { Resource } from '../data/resource.ts'
import { streamState } from '../data/stream.ts'
import { duration, instant } from '../format/times.ts'

/** When data were read. It turns amber when they can no longer be trusted to be the newest. */
export function Age({ resource }: { readonly resource: Pick<Resource<unknown>, 'readAt' | 'failure'> }) {
  const readAt = resource.readAt.value
  if (readAt === null) return null
  const isOld = resource.failure.value !== null || streamState.value.kind === 'lost'
  return (
    <span class={isOld ? 'age warn' : 'age'} title={instant(readAt)}>
      {isOld ? '⚠ ' : ''}read {duration(wallNow.value - readAt)} ago
    </span>
  )
}
