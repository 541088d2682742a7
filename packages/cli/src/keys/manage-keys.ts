import { CliError } from '../cli-error.ts'
import {
  type ApiKey,
  formatDuration,
  isKeyValid,
  nearestName,
  newKeyText,
  parseDuration,
  type Store,
} from '../engine.ts'
import { withNodeStore } from '../node-store.ts'
import { formatTable } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface CreateKeyOptions {
  readonly name: string
  /** `read`, `admin` or `participant:CRUNCHER`. */
  readonly scope: string
  readonly json: boolean
}

/** Creates a key of the report API and prints it. It cannot be printed again: only its hash is stored. */
export async function createKey({ name, scope, json }: CreateKeyOptions, terminal: Terminal): Promise<void> {
  checkName(name)
  const owner = readScope(scope)
  await withNodeStore(terminal, async ({ store }) => {
    const { id, text, hash } = newKeyText()
    const key: ApiKey = { id, name, ...owner, hash, createdAt: Date.now(), endsAt: null, endReason: null }
    if (!(await store.addApiKey(key))) {
      throw new CliError({
        place: `key ${name}`,
        cause: 'a key with this name exists',
        fix: `choose another name, or replace the key with: crunch keys rotate ${name}`,
      })
    }
    if (owner.cruncherId !== null) await warnOfUnknownCruncher(store, owner.cruncherId, terminal)
    printKey(key, text, json, terminal)
  })
}

export interface RotateKeyOptions {
  readonly name: string
  /** How long the old key stays valid, e.g. `24h`; `0` ends it at once. */
  readonly overlap: string
  readonly json: boolean
}

/** Replaces a key by a new one with the same scope, and prints the new one. */
export async function rotateKey({ name, overlap, json }: RotateKeyOptions, terminal: Terminal): Promise<void> {
  const overlapMs = readOverlap(overlap)
  await withNodeStore(terminal, async ({ store }) => {
    const { text, ...next } = newKeyText()
    const now = Date.now()
    const made = await store.rotateApiKey(name, { ...next, createdAt: now }, now + overlapMs)
    if (made === null) throw await unknownKey(store, name, now)
    printKey(made, text, json, terminal)
    const until = overlapMs === 0 ? 'has ended' : `is valid for another ${formatDuration(overlapMs)}`
    terminal.err(`The old key ${until}. End it now with: crunch keys revoke ${name}, which also ends the new one.`)
  })
}

/** Ends all keys of a name at once. */
export async function revokeKey({ name }: { readonly name: string }, terminal: Terminal): Promise<void> {
  await withNodeStore(terminal, async ({ store }) => {
    const now = Date.now()
    const count = await store.revokeApiKeys(name, now)
    if (count === 0) throw await unknownKey(store, name, now)
    terminal.out(
      `Revoked ${count === 1 ? 'the key' : `${count} keys`} ${name}; a running node refuses it within seconds.`,
    )
    if ((await store.apiKeys(now)).length > 0) return
    terminal.err(
      'warning: no key is left. Unless API_KEY is set, everybody can read, and programs on this machine can make changes. Create one with: crunch keys create NAME --scope admin',
    )
  })
}

/** Lists keys, without their secrets. */
export async function listKeys(
  { json, all }: { readonly json: boolean; readonly all: boolean },
  terminal: Terminal,
): Promise<void> {
  await withNodeStore(terminal, async ({ store }) => {
    const now = Date.now()
    const keys = await store.apiKeys(all ? undefined : now)
    if (json) {
      terminal.out(JSON.stringify(keys.map((key) => rowOf(key, now))))
      return
    }
    const rows = keys.map((key) => [key.name, scopeText(key), key.id, timeText(key.createdAt), stateText(key, now)])
    terminal.out(keys.length === 0 ? noKeys : formatTable(['name', 'scope', 'id', 'created', 'state'], rows))
  })
}

const noKeys =
  'There are no keys: reads are open, and only programs on this machine can write. Create one with: crunch keys create'

function printKey(key: ApiKey, text: string, json: boolean, terminal: Terminal): void {
  if (json) {
    terminal.out(JSON.stringify({ ...rowOf(key, key.createdAt), key: text }))
    return
  }
  terminal.out(text)
  // On the other stream, so that a script can store what is printed.
  terminal.err(
    `Key ${key.name} with scope ${scopeText(key)}. It is shown only now. Send it as: Authorization: Bearer KEY`,
  )
}

function rowOf(key: ApiKey, now: number) {
  const { id, name, createdAt, endsAt, endReason } = key
  return {
    id,
    name,
    scope: scopeText(key),
    created_at: timeText(createdAt),
    ends_at: endsAt === null ? null : timeText(endsAt),
    end_reason: endReason,
    is_valid: isKeyValid(key, now),
  }
}

const scopeText = ({ scope, cruncherId }: ApiKey) => (cruncherId === null ? scope : `${scope}:${cruncherId}`)
const timeText = (at: number) => new Date(at).toISOString()

function stateText({ endsAt, endReason }: ApiKey, now: number): string {
  if (endsAt === null) return 'valid'
  return `${endReason}, ${now < endsAt ? 'valid until' : 'ended'} ${timeText(endsAt)}`
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return
  throw new CliError({
    place: `key ${name}`,
    cause: 'the name is not valid',
    fix: 'use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
  })
}

function readScope(text: string): { readonly scope: ApiKey['scope']; readonly cruncherId: string | null } {
  if (text === 'read' || text === 'admin') return { scope: text, cruncherId: null }
  const cruncherId = /^participant:(.+)$/s.exec(text)?.[1]?.trim() ?? ''
  if (cruncherId !== '' && cruncherId.length <= 200) return { scope: 'participant', cruncherId }
  throw new CliError({
    place: `--scope ${text}`,
    cause: 'there is no such scope',
    fix: 'use read, admin, or participant:CRUNCHER with the id of the cruncher',
  })
}

/** A year is more than any client needs to change its key. */
const maxOverlapMs = 366 * 86_400_000

function readOverlap(text: string): number {
  const overlapMs = text === '0' ? 0 : parseDuration(text)
  if (overlapMs !== undefined && overlapMs <= maxOverlapMs) return overlapMs
  throw new CliError({
    place: `--overlap ${text}`,
    cause: 'this is not a duration up to 366 days',
    fix: 'use for example 30m, 24h or 7d, or 0 to end the old key at once',
  })
}

async function unknownKey(store: Store, name: string, now: number): Promise<CliError> {
  const names = [...new Set((await store.apiKeys(now)).map((key) => key.name))]
  const nearest = nearestName(name, names)
  const known = names.length === 0 ? 'create one with: crunch keys create' : 'list the keys with: crunch keys list'
  return new CliError({
    place: `key ${name}`,
    cause: 'no valid key has this name',
    fix: nearest === undefined ? known : `did you mean ${nearest}? ${known}`,
  })
}

/** A key may be made before the first model; a misspelt id would be a key that opens nothing. */
async function warnOfUnknownCruncher(store: Store, cruncherId: string, terminal: Terminal): Promise<void> {
  const crunchers = new Set((await store.models()).map((model) => model.cruncherId))
  if (crunchers.has(cruncherId)) return
  const nearest = nearestName(cruncherId, [...crunchers])
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  terminal.err(`warning: no model of a cruncher with the id ${cruncherId} has been set up yet.${hint}`)
}
