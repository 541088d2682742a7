import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openWorkspaceFolder } from './workspace-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'create-crunch-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('accepts a clone of an empty repository, and restores it after a failure', () => {
  mkdirSync(join(folder, '.git'))
  writeFileSync(join(folder, '.git/HEAD'), 'ref: refs/heads/main\n')
  const opened = openWorkspaceFolder(folder)
  writeFileSync(join(folder, 'package.json'), '{}')
  opened.remove()
  expect(readdirSync(folder)).toEqual(['.git'])
  expect(readFileSync(join(folder, '.git/HEAD'), 'utf8')).toBe('ref: refs/heads/main\n')
})

it('refuses a repository with files', () => {
  mkdirSync(join(folder, '.git'))
  writeFileSync(join(folder, 'README.md'), 'mine')
  expect(() => openWorkspaceFolder(folder)).toThrow('it contains README.md')
})
