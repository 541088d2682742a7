import { z } from 'zod'
import { nearestName } from '../domain/nearest-name.ts'
import { durationMs } from '../domain/time.ts'
import type { AnyContract } from './crunch-contract.ts'
import type { FeedDefinition } from './feed-definition.ts'
import { type GatedSeries, isReference, peersOf, watchOf } from './feed-gate.ts'
import type { Finding } from './finding.ts'
import { numericFields } from './numeric-fields.ts'

/** Whether every gate watches a number that its feed has, and names one other series of the contract. */
export function checkGates(contract: AnyContract): Finding[] {
  const isList = Array.isArray(contract.feed)
  const definitions: readonly FeedDefinition[] = [contract.feed].flat()
  const all = definitions.flatMap(seriesOf)
  return definitions.flatMap((definition, index) => {
    if (definition.gate === undefined) return []
    const path = isList ? `feed[${index}].gate` : 'feed.gate'
    return [...checkWatch(definition, path), ...checkAgreement(definition, all, path)]
  })
}

function seriesOf(definition: FeedDefinition): GatedSeries[] {
  const { source, subjects, kind, granularity } = definition
  const granularityMs = durationMs(granularity)
  return subjects.map((subject) => ({ scope: { source, subject, kind, granularity }, definition, granularityMs }))
}

function checkWatch(definition: FeedDefinition, path: string): Finding[] {
  const { gate, values } = definition
  const needs = gate?.maxJump !== undefined || gate?.agree !== undefined
  const watch = watchOf(definition)
  const known = numericFields(values)
  const fix = known.length > 0 ? `write one of ${known.join(', ')}` : 'add a numeric value to the feed'
  if (watch === undefined) {
    return needs ? [{ path: `${path}.watch`, cause: 'is missing; maxJump and agree need it', fix }] : []
  }
  // Nothing is known about a schema that zod cannot describe.
  if (known.includes(watch) || (known.length === 0 && !(values instanceof z.ZodObject))) return []
  const nearest = nearestName(watch, known)
  return [
    {
      path: `${path}.watch`,
      cause: `records of this feed have no numeric value "${watch}"`,
      fix: nearest === undefined ? fix : `did you mean ${nearest}?`,
    },
  ]
}

function checkAgreement(definition: FeedDefinition, all: readonly GatedSeries[], path: string): Finding[] {
  const agree = definition.gate?.agree
  const compared = all.filter((series) => series.definition === definition && !isReference(series))
  if (agree === undefined) return []
  const at = `${path}.agree.with`
  const [first] = compared
  if (first === undefined) {
    return [{ path: at, cause: `"${agree.with}" is this series itself`, fix: 'name another series, or its source' }]
  }
  const peers = peersOf(first, all)
  const [peer] = peers
  if (peer === undefined) return [unknownPeer(agree, first, all, at)]
  if (peers.length > 1) {
    const cause = `${peers.length} series of the contract are "${agree.with}" of ${peer.scope.source}`
    return [{ path: at, cause, fix: 'remove all but one, or give one of them the kind and granularity of this feed' }]
  }
  const watch = watchOf(peer.definition) ?? watchOf(definition)
  const known = numericFields(peer.definition.values)
  if (watch === undefined || known.length === 0 || known.includes(watch)) return []
  return [
    {
      path: at,
      cause: `records of "${agree.with}" have no numeric value "${watch}" to compare with`,
      fix: `give that feed gate: { watch: '${known[0]}' }`,
    },
  ]
}

function unknownPeer(
  agree: { readonly with: string; readonly source?: string },
  { scope }: GatedSeries,
  all: readonly GatedSeries[],
  path: string,
): Finding {
  const source = agree.source ?? scope.source
  const elsewhere = all.find((series) => series.scope.subject === agree.with && series.scope.source !== source)
  const subjects = all.map((series) => series.scope.subject)
  const nearest = nearestName(agree.with, subjects)
  const byName = nearest === undefined ? `the feeds have ${subjects.join(', ')}` : `did you mean "${nearest}"?`
  return {
    path,
    cause: `no feed of the contract has "${agree.with}" of "${source}"`,
    fix: elsewhere === undefined ? byName : `add source: '${elsewhere.scope.source}'`,
  }
}
