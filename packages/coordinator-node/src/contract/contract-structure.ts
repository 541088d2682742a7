import { createHash } from 'node:crypto'
import { feedScopeKey } from '../domain/feed-record.ts'
import { isJsonArray, type Json, type JsonObject, toJson, toJsonObject } from '../domain/json/json.ts'
import { jsonEqual } from '../domain/json/json-equal.ts'
import { durationMs, formatDuration } from '../domain/time.ts'
import type { AnyContract } from './crunch-contract.ts'
import type { Emission } from './defaults/emission.ts'
import { type ContractFeed, contractFeeds, defaultMaxValuesOf, scheduleKey } from './resolved-contract.ts'
import { schemaStructure } from './schema-structure.ts'

/**
 * Everything in a contract that changes results and is not code: a difference begins a new era. Options that are absent or have
 * their default are left out, so that a new option of the engine does not change the structure of contracts that do not use it.
 * `leaderboard` and `checkpoint` are written as in the contract, so that an ended era can be closed by its own rules.
 * The organizer is always included: it decides who is a baseline and who is paid.
 * @param organizer the setting ORGANIZER_CRUNCHER_ID
 */
export function contractStructure(contract: AnyContract, organizer: string): JsonObject {
  const { input, prediction, truth, score, snapshot, leaderboard, checkpoint, baselines } = contract
  return withoutDefaults({
    name: contract.name,
    feed: Object.fromEntries(contractFeeds(contract).map((feed) => [feedScopeKey(feed.scope), feedStructure(feed)])),
    input: { schema: schemaStructure(input.schema), window: sameLength(input.window) },
    prediction: {
      schema: schemaStructure(prediction.schema),
      schedule: scheduleStructure(contract),
      // The time-out changes results, because it decides which models are absent.
      timeout: sameLength(prediction.timeout),
      maxValues: unless(defaultMaxValuesOf(prediction.schema), prediction.maxValues),
      missing: ofFunction(prediction.missing) ?? unless('worst', prediction.missing),
      call: {
        tick: unless('tick', prediction.call?.tick),
        predict: unless('predict', prediction.call?.predict),
        arguments: ofFunction(prediction.call?.arguments),
      },
    },
    truth: {
      schema: schemaStructure(truth.schema),
      maxStaleness: truth.maxStaleness === undefined ? undefined : sameLength(truth.maxStaleness),
      expire: truth.expire === undefined ? undefined : sameLength(truth.expire),
      records: unless(false, truth.records),
    },
    score: { schema: schemaStructure(score.schema) },
    snapshot: { every: sameLength(snapshot.every), metrics: [...(snapshot.metrics ?? [])].sort() },
    leaderboard: {
      ...leaderboard,
      windows: Object.fromEntries(
        Object.entries<string>(leaderboard.windows).map(([name, length]) => [name, sameLength(length)]),
      ),
      newcomers: unless('wait', leaderboard.newcomers),
      minCoverage: unless(0.8, leaderboard.minCoverage),
      aggregate: ofFunction(leaderboard.aggregate),
      rank: ofFunction(leaderboard.rank),
    },
    checkpoint: {
      ...checkpoint,
      every: sameLength(checkpoint.every),
      minCoverage: unless(0, checkpoint.minCoverage),
      emission: emissionStructure(checkpoint.emission),
    },
    baselines: [...(baselines ?? [])].sort(),
    organizer,
  })
}

/** The data of an emission. Its shares are a function, so everything they depend on must be in `parameters`. */
export function emissionStructure({ shares: _, ...emission }: Emission): JsonObject {
  return toJsonObject(emission, 'checkpoint.emission')
}

/** SHA-256 of a structure as canonical JSON. The results of contracts with the same fingerprint can be compared. */
export function structureFingerprint(structure: JsonObject): string {
  return createHash('sha256')
    .update(JSON.stringify(toJson(structure)))
    .digest('hex')
}

/** The cruncher whose models are the organizer's; `undefined` in a structure from before the organizer was stored. */
export function storedOrganizer({ organizer }: JsonObject): string | undefined {
  return typeof organizer === 'string' ? organizer : undefined
}

/** The structure without the organizer, as stored by earlier versions. */
export function withoutOrganizer({ organizer: _, ...structure }: JsonObject): JsonObject {
  return structure
}

/** The differences from a stored era, ordered by path. An era from before the organizer was stored cannot differ in it. */
export function eraDifferences(stored: JsonObject, current: JsonObject): StructureDifference[] {
  return storedOrganizer(stored) === undefined
    ? structureDifferences(stored, withoutOrganizer(current))
    : structureDifferences(stored, current)
}

/** One difference between two structures; `undefined` if one has no value. */
export interface StructureDifference {
  readonly path: string
  readonly stored: Json | undefined
  readonly current: Json | undefined
}

/** In order of path. */
export function structureDifferences(stored: JsonObject, current: JsonObject, path = ''): StructureDifference[] {
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(current)])].sort()
  return keys.flatMap((key): StructureDifference[] => {
    const own = path === '' ? key : /^\w+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`
    const [left, right] = [stored[key], current[key]]
    if (isObject(left) && isObject(right)) return structureDifferences(left, right, own)
    if (left !== undefined && right !== undefined && jsonEqual(left, right)) return []
    return [{ path: own, stored: left, current: right }]
  })
}

function feedStructure({ definition, gate }: ContractFeed) {
  return { values: schemaStructure(definition.values), gate }
}

function scheduleStructure(contract: AnyContract) {
  return Object.fromEntries(
    contract.prediction.schedule.map((entry) => {
      const { subject, every, horizon, step = horizon, on } = entry
      const lengths = { every: sameLength(every), horizon: sameLength(horizon), step: sameLength(step) }
      return [scheduleKey(entry), { subject, ...lengths, on: unless('record', on) }]
    }),
  )
}

/** The canonical form of a length: `60s` is `1m`. */
function sameLength(duration: string): string {
  return formatDuration(durationMs(duration))
}

/** Only the existence of a function; its code is part of the version. */
function ofFunction(value: unknown): 'function' | undefined {
  return typeof value === 'function' ? 'function' : undefined
}

function unless<Value>(usual: Value, value: Value | undefined): Value | undefined {
  return value === usual ? undefined : value
}

/** Removes empty entries: undefined, `null`, and lists and objects without other entries. */
function withoutDefaults(value: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, Json][] => {
      if (item === undefined || item === null) return []
      const json = toJson(item, key)
      if (!isObject(json)) return isJsonArray(json) && json.length === 0 ? [] : [[key, json]]
      const kept = key === 'schema' || key === 'values' ? json : withoutDefaults(json)
      return Object.keys(kept).length === 0 ? [] : [[key, kept]]
    }),
  )
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isJsonArray(value)
}
