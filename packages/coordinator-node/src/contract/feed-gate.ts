import { present } from '../domain/errors.ts'
import type { FeedGate, FeedPeer } from '../domain/feed-trust.ts'
import type { FeedDefinition } from './feed-definition.ts'
import { numericFields } from './numeric-fields.ts'

/** The properties of a series that gates compare. */
export interface GatedSeries {
  readonly scope: FeedPeer['scope']
  readonly definition: FeedDefinition
  readonly granularityMs: number
}

/** The value that a gate watches: `watch`, or the default of the kind; `undefined` if the feed has no such number. */
export function watchOf({ gate, kind, values }: FeedDefinition): string | undefined {
  if (gate?.watch !== undefined) return gate.watch
  const usual = { candle: 'close', tick: 'price' }[kind]
  return usual !== undefined && numericFields(values).includes(usual) ? usual : undefined
}

/**
 * The series that a gate names; of several, those of the same kind and granularity come first. Empty for the reference itself.
 */
export function peersOf(own: GatedSeries, all: readonly GatedSeries[]): readonly GatedSeries[] {
  const agree = own.definition.gate?.agree
  if (agree === undefined || isReference(own)) return []
  const { kind, granularity } = own.scope
  const named = all.filter(
    ({ scope }) => scope.subject === agree.with && scope.source === (agree.source ?? own.scope.source),
  )
  const alike = named.filter(({ scope }) => scope.kind === kind && scope.granularity === granularity)
  return alike.length > 0 ? alike : named
}

/** Whether a series is the reference of its own gate (`agree`). */
export function isReference({ scope, definition }: GatedSeries): boolean {
  const agree = definition.gate?.agree
  return agree?.with === scope.subject && (agree.source ?? scope.source) === scope.source
}

/** A gate with every default filled in; `null` without one. The contract must have passed the start-up check. */
export function resolveGate(own: GatedSeries, all: readonly GatedSeries[]): FeedGate | null {
  const { gate } = own.definition
  if (gate === undefined) return null
  const { frozenAfter = null, maxJump, agree } = gate
  const watched = () => present(watchOf(own.definition), `the value to watch of ${own.scope.subject}`)
  const [peer] = peersOf(own, all)
  return {
    frozenAfter,
    maxJump: maxJump === undefined ? null : { watch: watched(), limit: maxJump },
    agree:
      agree === undefined || peer === undefined
        ? null
        : {
            watch: watched(),
            within: agree.within,
            peer: {
              scope: peer.scope,
              watch: watchOf(peer.definition) ?? watched(),
              granularityMs: peer.granularityMs,
            },
          },
  }
}
