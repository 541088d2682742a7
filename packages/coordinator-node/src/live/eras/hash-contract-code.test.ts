import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readSettings } from '../settings.ts'
import { hashContractCode } from './hash-contract-code.ts'

const folders: string[] = []

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const contract = `import { rule } from './rules'
import { shared } from 'challenge'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
export default { score: (x: number) => rule(x) + shared + z.version + \`a
b\`, readFileSync }
`

const files: Readonly<Record<string, string>> = {
  'node/contract.ts': contract,
  'node/rules.ts': 'export const rule = (x: number) => x * 2\n',
  'challenge/package.json': '{ "name": "challenge", "version": "1.0.0", "main": "index.ts" }',
  'challenge/index.ts': 'export const shared: number = 1\n',
  'node_modules/zod/package.json': '{ "name": "zod", "version": "4.0.0", "main": "index.js" }',
  'node_modules/zod/index.js': 'export const z = { version: 1 }\n',
}

/** A workspace in its own folder, with the package `challenge` linked as a package manager does. */
async function hashOf(
  changes: Readonly<Record<string, string>> = {},
  env?: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'crunch-code-')))
  folders.push(folder)
  for (const [path, text] of Object.entries({ ...files, ...changes })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await symlink(join(folder, 'challenge'), join(folder, 'node_modules', 'challenge'), 'dir')
  return hashContractCode(join(folder, 'node', 'contract.ts'), env && readSettings(env))
}

test('the hash ignores the path, comments, white space, types and line ends', async () => {
  const hash = await hashOf()
  expect(await hashOf()).toBe(hash)
  expect(await hashOf({ 'node/contract.ts': contract.replaceAll('\n', '\r\n') })).toBe(hash)
  expect(await hashOf({ 'node/rules.ts': '// twice\nexport const rule =\n\t(x: any): number =>\n  x*2;\n' })).toBe(hash)
  expect(await hashOf({ 'challenge/index.ts': '/** @license one */ export const shared = 1' })).toBe(hash)
  expect(await hashOf({ 'node_modules/zod/index.js': 'export const z = { version: 2 }' })).toBe(hash)
})

test.each([
  ['the contract', { 'node/contract.ts': contract.replace('rule(x) +', 'rule(x) -') }],
  ['a file that it imports', { 'node/rules.ts': 'export const rule = (x: number) => x * 3' }],
  ['a package of the workspace', { 'challenge/index.ts': 'export const shared = 2' }],
  [
    'the version of a package',
    { 'node_modules/zod/package.json': '{ "name": "zod", "version": "4.0.1", "main": "index.js" }' },
  ],
])('the hash changes with %s', async (_, changes) => {
  expect(await hashOf(changes)).not.toBe(await hashOf())
})

test('reports code that cannot be parsed', async () => {
  await expect(hashOf({ 'node/rules.ts': 'export const rule = (' })).rejects.toMatchObject({
    code: 'CONTRACT_NOT_LOADED',
    message: expect.stringContaining('rules.ts'),
  })
})

test.each([
  ...['SCORING_FUNCTION', 'INFERENCE_INPUT_BUILDER', 'INFERENCE_OUTPUT_VALIDATOR', 'FEED_SOURCE_MODULE'],
  ...['MODEL_SCORE_AGGREGATOR', 'LEADERBOARD_RANKER'],
])('code is another with %s, with other code behind it, and with another export of the same file', async (key) => {
  const parts = 'export const one = () => 1\nexport const two = () => 2\n'
  const one = { [key]: 'parts.ts#one' }
  // In turn: each ends the bundler that they share.
  const hashes = [
    await hashOf({ 'node/parts.ts': parts }),
    await hashOf({ 'node/parts.ts': parts }, one),
    await hashOf({ 'node/parts.ts': parts }, { [key]: 'parts.ts#two' }),
    await hashOf({ 'node/parts.ts': parts.replace('1\n', '3\n') }, one),
  ]
  expect(new Set(hashes).size).toBe(4)
})
