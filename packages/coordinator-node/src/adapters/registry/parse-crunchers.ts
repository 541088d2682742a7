import { z } from 'zod'
import { CrunchError } from '../../domain/errors.ts'
import { addressProblem } from '../../domain/payout/base58.ts'
import type { CruncherAccounts } from '../../domain/payout/winners.ts'

const example = '{ "crunchers": [{ "id": "alice", "wallet": "ADDRESS", "index": 0 }] }'

const entrySchema = z.strictObject({
  id: z.string('must be the id of a cruncher, as text').min(1, 'is empty; write the id of a cruncher'),
  wallet: z.string('must be the address of a wallet, as text').superRefine((text, context) => {
    const problem = addressProblem(text)
    if (problem !== null) context.addIssue({ code: 'custom', message: `is no address of a wallet: it ${problem}` })
  }),
  index: z
    .int('must be a whole number')
    .min(0, 'must be 0 or more')
    .max(0xffff_ffff, 'must be at most 4294967295')
    .nullish()
    .transform((index) => index ?? null),
})

const fileSchema = z.strictObject({ crunchers: z.array(entrySchema) })

type Entry = z.output<typeof entrySchema>

/**
 * Reads the accounts of crunchers from JSON: `{ "crunchers": [{ "id", "wallet", "index" }] }`, where `index` may be left out. Throws
 * `REGISTRY_INVALID` with place, line, cause and fix. One wrong entry makes the whole file invalid: reading it in part would pay
 * nobody, or somebody else, by mistake.
 */
export function parseCrunchers(text: string, place: string): CruncherAccounts {
  const source = text.replace(/^\uFEFF/, '')
  if (/[\0\uFFFD]/.test(source)) throw invalid(place, 1, 'the text is not UTF-8; save it as UTF-8')
  const document = parseText(source, place)
  const starts = entryStarts(source)
  const lineOfEntry = (index: number) => lineAt(source, starts[index] ?? 0)
  const parsed = fileSchema.safeParse(document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const [, index] = issue?.path ?? []
    const line = typeof index === 'number' ? lineOfEntry(index) : 1
    const at = issue?.path.join('.') || 'the document'
    throw invalid(place, line, `${at}: ${issue?.message}; write it like ${example}`)
  }
  const { crunchers } = parsed.data
  refuseRepeatedKeys(source, starts, place)
  refuseContradictions(crunchers, (index, other, problem) =>
    invalid(place, lineOfEntry(index), `${problem}, as on line ${lineOfEntry(other)}; correct one of them`),
  )
  return new Map(crunchers.map(({ id, wallet, index }) => [id, { wallet, onchainIndex: index }]))
}

function parseText(source: string, place: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const [, position] = /at position (\d+)/.exec(error.message) ?? []
    const line = lineAt(source, position === undefined ? source.length : Number(position))
    throw invalid(place, line, `the text is not JSON (${error.message}); write it like ${example}`)
  }
}

/** Where the entries of the only list begin: at the brackets of the third level. */
function entryStarts(source: string): readonly number[] {
  const starts: number[] = []
  let depth = 0
  for (const { 0: token, index } of source.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '{' || token === '[') {
      if (depth === 2) starts.push(index)
      depth += 1
    } else if (token === '}' || token === ']') depth -= 1
  }
  return starts
}

/** JSON.parse silently takes the last of two equal keys. */
function refuseRepeatedKeys(source: string, starts: readonly number[], place: string): void {
  for (const [index, start] of starts.entries()) {
    const keys = [...source.slice(start, starts[index + 1]).matchAll(/"(id|wallet|index)"\s*:/g)].map(([, key]) => key)
    const repeated = keys.find((key, at) => keys.indexOf(key) < at)
    if (repeated === undefined) continue
    throw invalid(place, lineAt(source, start), `crunchers.${index} has "${repeated}" twice; remove one of them`)
  }
}

/** A cruncher has one account, and a wallet one index on chain. */
function refuseContradictions(
  entries: readonly Entry[],
  refuse: (index: number, other: number, problem: string) => CrunchError,
): void {
  const ids = new Map<string, number>()
  const [wallets, indexes] = [new Map<string, number>(), new Map<number, number>()]
  for (const [at, { id, wallet, index }] of entries.entries()) {
    const sameId = ids.get(id)
    if (sameId !== undefined) throw refuse(at, sameId, `crunchers.${at}: the cruncher "${id}" has an account already`)
    ids.set(id, at)
    const sameWallet = wallets.get(wallet) ?? at
    const { index: knownIndex } = entries[sameWallet] as Entry
    if (knownIndex !== index) {
      throw refuse(at, sameWallet, `crunchers.${at}: the wallet ${wallet} has the index ${String(knownIndex)} already`)
    }
    wallets.set(wallet, sameWallet)
    if (index === null) continue
    const sameIndex = indexes.get(index) ?? at
    const { wallet: knownWallet } = entries[sameIndex] as Entry
    if (knownWallet !== wallet) {
      throw refuse(at, sameIndex, `crunchers.${at}: the index ${index} belongs to the wallet ${knownWallet} already`)
    }
    indexes.set(index, sameIndex)
  }
}

function lineAt(source: string, position: number): number {
  return source.slice(0, position).split('\n').length
}

function invalid(place: string, line: number, problem: string): CrunchError {
  const publicReason = 'the registry of crunchers is invalid'
  return new CrunchError('REGISTRY_INVALID', `${place}:${line}: ${problem}`, { publicReason })
}
