import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findWorkspaceFolder } from './workspace-folder.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'workspace-folder-')))
afterAll(() => rmSync(root, { recursive: true }))

function write(path: string, text = ''): string {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  return join(root, path)
}

test.each([
  ['lists workspaces', 'npm', { 'npm/package.json': '{"workspaces":["node","challenge"]}' }, 'npm'],
  ['has a pnpm-workspace.yaml', 'pnpm', { 'pnpm/pnpm-workspace.yaml': '', 'pnpm/node/package.json': '{}' }, 'pnpm'],
  [
    'is around the contract',
    'bare',
    { 'bare/package.json': '{}', 'bare/node/package.json': '{"name":"node"}' },
    'bare',
  ],
  ['is around the contract, if package.json is broken', 'broken', { 'broken/package.json': '{' }, 'broken'],
])('the folder of a workspace %s', (_, name, files, expected) => {
  for (const [path, text] of Object.entries(files)) write(path, text)
  expect(findWorkspaceFolder(write(`${name}/node/contract.ts`))).toBe(join(root, expected))
})

test('is that of the real contract, since stacks show real paths', () => {
  const contract = write('real/node/contract.ts')
  symlinkSync(join(root, 'real'), join(root, 'link'))
  expect(findWorkspaceFolder(join(root, 'link/node/contract.ts'))).toBe(dirname(dirname(contract)))
})
