import { errorText } from '@crunch/local-processes/errors'
import { highestMaxValues } from '../domain/answer-size.ts'
import { toJsonObject } from '../domain/json/json.ts'
import { nearestName } from '../domain/nearest-name.ts'
import { parseDuration } from '../domain/time.ts'
import type { Finding } from './finding.ts'

type Check = (value: unknown, path: string) => Finding[]

interface Field {
  readonly check: Check
  readonly optional?: boolean
}

const anything: Check = () => []
const finding = (path: string, cause: string, fix: string): Finding[] => [{ path, cause, fix }]

const text: Check = (value, path) =>
  typeof value === 'string' && value !== '' ? [] : finding(path, 'is not a text', 'write a non-empty string')

const unit: Check = (value, path) =>
  typeof value === 'string' && /^[^\p{Cc}]{1,20}$/u.test(value) && value.trim() === value
    ? []
    : finding(path, 'is not a unit', 'write a text of up to 20 characters, such as "bp"')

const fn: Check = (value, path) =>
  typeof value === 'function' ? [] : finding(path, 'is not a function', 'write a function or a method')

const schema: Check = (value, path) =>
  typeof value === 'object' && value !== null && 'safeParse' in value
    ? []
    : finding(path, 'is not a zod schema', 'write z.object({ ... })')

const duration: Check = (value, path) =>
  typeof value === 'string' && parseDuration(value) !== undefined
    ? []
    : finding(path, `${JSON.stringify(value)} is not a duration`, 'write a positive number and a unit, such as "5m"')

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, path) =>
    typeof value === 'string' && allowed.includes(value)
      ? []
      : finding(path, `${JSON.stringify(value)} is not known`, `write one of ${allowed.join(', ')}`)

const numberFrom =
  (isRight: (value: number) => boolean, cause: string, fix: string): Check =>
  (value, path) =>
    typeof value === 'number' && isRight(value) ? [] : finding(path, cause, fix)

const ratio = numberFrom(
  (value) => Number.isFinite(value) && value > 0,
  'is not a number above 0',
  'write a ratio, such as 0.01 for 1 %',
)

const share = numberFrom(
  (value) => value >= 0 && value <= 1,
  'is not a number from 0 to 1',
  'write a share, such as 0.5 for 50 %',
)

const valueCount = numberFrom(
  (value) => Number.isInteger(value) && value >= 1 && value <= highestMaxValues,
  `is not a whole number from 1 to ${highestMaxValues}`,
  'write the maximum number of values in an answer, such as 1000',
)

const jsonObject: Check = (value, path) => {
  try {
    toJsonObject(value, path)
    return []
  } catch (error) {
    return finding(
      path,
      errorText(error).replace(`${path} `, ''),
      'use an object that contains only numbers, strings, lists and objects',
    )
  }
}

const listOf =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => check(item, `${path}[${index}]`))
      : finding(path, 'is not a list', 'write [ ... ]')

const either =
  (matches: (value: unknown) => boolean, then: Check, otherwise: Check): Check =>
  (value, path) =>
    (matches(value) ? then : otherwise)(value, path)

/** An object with exactly these keys: unknown keys are typos, at any depth. */
function object(fields: Readonly<Record<string, Field>>): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return finding(path || 'contract', 'is not an object', 'write { ... }')
    }
    const at = (key: string) => (path === '' ? key : `${path}.${key}`)
    const entries = value as Record<string, unknown>
    const unknown = Object.keys(entries)
      .filter((key) => !Object.hasOwn(fields, key))
      .flatMap((key) => {
        const nearest = nearestName(key, Object.keys(fields))
        return finding(at(key), 'there is no such key', nearest ? `did you mean ${nearest}?` : 'remove it')
      })
    const known = Object.entries(fields).flatMap(([key, field]) => {
      if (entries[key] !== undefined) return field.check(entries[key], at(key))
      return field.optional ? [] : finding(at(key), 'is missing', 'add it')
    })
    return [...unknown, ...known]
  }
}

const required = (check: Check): Field => ({ check })
const optional = (check: Check): Field => ({ check, optional: true })

const gate = object({
  watch: optional(text),
  frozenAfter: optional(
    numberFrom(
      (value) => Number.isInteger(value) && value >= 2 && value <= 1_000,
      'is not a whole number from 2 to 1000',
      'write how many identical records in a row mean a frozen feed, such as 30',
    ),
  ),
  maxJump: optional(ratio),
  agree: optional(object({ with: required(text), source: optional(text), within: required(ratio) })),
})

const feed = object({
  source: required(text),
  subjects: required(listOf(text)),
  kind: required(text),
  granularity: required(duration),
  values: required(schema),
  gate: optional(gate),
  from: optional(fn),
})

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null

/** A floor is a baseline or a value: with both it would be unclear which one counts. */
const payAbove = either(
  (value) => isRecord(value) && 'value' in value,
  object({
    value: required(
      numberFrom(Number.isFinite, 'is not a number', 'write the value that a paid model must exceed, such as 0'),
    ),
  }),
  object({ baseline: required(text) }),
)

const emission = object({
  name: required(text),
  parameters: optional(jsonObject),
  payAbove: optional(payAbove),
  shares: required(fn),
})

const schedule = object({
  key: optional(text),
  subject: required(text),
  every: required(duration),
  horizon: required(duration),
  step: optional(duration),
  on: optional(oneOf('record', 'clock')),
})

const windows: Check = (value, path) => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    return finding(path, 'has no window', 'name at least one, such as { recent: "24h" }')
  }
  return Object.entries(value).flatMap(([name, length]) => duration(length, `${path}.${name}`))
}

/** Whether a value has the form of a contract: all keys, at any depth, and the type of every value. */
export const checkShape: (contract: unknown) => Finding[] = (contract) =>
  object({
    name: required(text),
    baselines: optional(listOf(text)),
    feed: required(either(Array.isArray, listOf(feed), feed)),
    input: required(object({ schema: required(schema), window: required(duration), build: required(fn) })),
    prediction: required(
      object({
        schema: required(schema),
        schedule: required(listOf(schedule)),
        timeout: required(duration),
        maxValues: optional(valueCount),
        reveal: optional(oneOf('with truth', 'at once')),
        missing: optional(either((value) => typeof value === 'function', anything, oneOf('worst', 'exclude'))),
        call: optional(
          object({
            tick: optional(either((value) => value === false, anything, text)),
            predict: optional(text),
            arguments: optional(fn),
          }),
        ),
      }),
    ),
    truth: required(
      object({
        schema: required(schema),
        maxStaleness: optional(duration),
        expire: optional(duration),
        records: optional(
          either(
            (value) => typeof value === 'boolean',
            anything,
            (_, path) => finding(path, 'is not a boolean', 'write true or false'),
          ),
        ),
        resolve: required(fn),
      }),
    ),
    score: required(object({ schema: required(schema), unit: optional(unit), compute: required(fn) })),
    snapshot: required(
      object({
        every: required(duration),
        metrics: optional(listOf(text)),
        signal: optional(fn),
        actual: optional(fn),
      }),
    ),
    leaderboard: required(
      object({
        value: required(text),
        windows: required(windows),
        rankBy: required(text),
        direction: required(oneOf('asc', 'desc')),
        newcomers: optional(oneOf('wait', 'worst', 'own')),
        minCoverage: optional(share),
        aggregate: optional(fn),
        rank: optional(fn),
      }),
    ),
    checkpoint: required(
      object({
        every: required(duration),
        minCoverage: optional(share),
        emission: required(emission),
      }),
    ),
  })(contract, '')
