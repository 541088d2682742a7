import { describe, expect, test } from 'vitest'
import { checkPackage } from './check-package.ts'
import { parseSources } from './source-file.ts'

/** The findings in one made-up file of the engine. */
const check = (path: string, text: string) => checkPackage(parseSources([[path, text]]), { layers: true })

describe('the check of the layers', () => {
  test.each([
    ['domain/a.ts', '../ports/b.ts'],
    ['ports/a.ts', '../contract/b.ts'],
    ['contract/a.ts', '../stages/score/b.ts'],
    ['stages/score/a.ts', '../../pipeline.ts'],
    ['pipeline.ts', './adapters/clock/b.ts'],
    ['predictor.ts', './live/b.ts'],
    ['adapters/clock/a.ts', '../../contract/b.ts'],
    ['report/a.ts', '../stages/score/b.ts'],
    ['report/a.ts', '../adapters/clock/b.ts'],
    ['simulation/a.ts', '../live/b.ts'],
    ['simulation/a.ts', '../report/b.ts'],
    ['live/a.ts', '../simulation/b.ts'],
    ['recording/a.ts', '../simulation/b.ts'],
    ['recording/a.ts', '../live/b.ts'],
    ['live/a.ts', '../index.ts'],
    ['domain/a.ts', '../../test/b.ts'],
    ['domain/a.ts', '../../package.json'],
  ])('refuses that %s imports %s', (path, specifier) => {
    for (const text of [
      `import { b } from '${specifier}'`,
      `import type { B } from '${specifier}'`,
      `export { b } from '${specifier}'`,
      `const b = await import('${specifier}')`,
      `type B = import('${specifier}').B`,
    ]) {
      expect(check(path, `\n${text}\n`)).toEqual([
        expect.stringMatching(new RegExp(`^${path}:2: .*against the dependency rule$`)),
      ])
    }
  })

  test.each([
    ['ports/a.ts', '../domain/b.ts'],
    ['contract/defaults/a.ts', '../../ports/b.ts'],
    ['stages/score/a.ts', '../../contract/b.ts'],
    ['stages/score/a.ts', './b.ts'],
    ['pipeline.ts', './stages/score/b.ts'],
    ['pipeline.ts', './predictor.ts'],
    ['adapters/store/memory/a.ts', '../postgres/b.ts'],
    ['simulation/a.ts', '../adapters/clock/b.ts'],
    ['simulation/a.ts', '../recording/b.ts'],
    ['live/a.ts', '../recording/b.ts'],
    ['live/a.ts', '../report/b.ts'],
    ['bin.ts', './live/b.ts'],
    ['live/a.ts', '../../package.json'],
    ['index.ts', './simulation/b.ts'],
  ])('allows that %s imports %s', (path, specifier) => {
    expect(check(path, `import { b } from '${specifier}'`)).toEqual([])
  })

  test('refuses imports between stages, and between adapters of different ports', () => {
    expect(check('stages/score/a.ts', "import { b } from '../feed/b.ts'")).toEqual([
      'stages/score/a.ts:1: stages/score may not import stages/feed/b.ts: stages must not import each other',
    ])
    expect(check('adapters/store/a.ts', "import { b } from '../clock/b.ts'")).toHaveLength(1)
  })

  test('refuses a file of a stage that only a driver of the pipeline imports', () => {
    const used: [string, string][] = [
      ['stages/feed/a.ts', "import { b } from './b.ts'"],
      ['stages/feed/b.ts', ''],
      ['pipeline.ts', "import { a } from './stages/feed/a.ts'"],
      ['live/a.ts', "import { a } from '../stages/feed/a.ts'\nimport { c } from '../stages/feed/c.ts'"],
      ['stages/feed/c.ts', ''],
      ['stages/feed/c.test.ts', "import { c } from './c.ts'"],
    ]
    expect(checkPackage(parseSources(used), { layers: true })).toEqual([
      'stages/feed/c.ts:1: only live imports this file: move it there',
    ])
  })

  test('allows a stage to import groups of the store, but not the whole store', () => {
    expect(check('stages/feed/a.ts', "import type { FeedStore } from '../../ports/store-feed.ts'")).toEqual([])
    expect(check('stages/feed/a.ts', "import type { Store } from '../../ports/store.ts'")).toHaveLength(1)
  })

  test.each([
    'const at = Date.now()',
    'const at = new Date()',
    'const at = new Date',
    'const at = Date()',
    'const luck = Math.random()',
    "import { randomUUID } from 'node:crypto'",
    "import { randomUUID as id } from 'node:crypto'",
    'setTimeout(() => {}, 1)',
    'const start = { timer: setInterval }',
    'setImmediate(run)',
    'const url = process.env.DATABASE_URL',
    "console.log('here')",
    'const start = performance.now()',
    "import { readFileSync } from 'node:fs'",
    "import { readFileSync } from 'fs'",
    "import postgres from 'postgres'",
  ])('refuses impure code: %s', (text) => {
    for (const path of [
      'domain/a.ts',
      'ports/a.ts',
      'contract/a.ts',
      'stages/feed/a.ts',
      'pipeline.ts',
      'predictor.ts',
    ]) {
      expect(check(path, text)).not.toEqual([])
    }
    for (const path of ['live/a.ts', 'adapters/clock/a.ts', 'simulation/a.ts', 'stages/feed/a.test.ts']) {
      expect(check(path, text)).toEqual([])
    }
  })

  test.each([
    'const at = new Date(0)',
    'clock.now()',
    'const job = { process: 1, console: 2 }',
    'job.process',
    'interface Log { console: string }',
    "import { createHash } from 'node:crypto'",
    "import { z } from 'zod'",
    '// Date.now() and process.env in a comment',
    "const text = 'Math.random()'",
  ])('allows pure code: %s', (text) => {
    expect(check('domain/a.ts', text)).toEqual([])
  })

  test('refuses a file outside the layers and an import of the own package', () => {
    expect(check('helpers/a.ts', '')).toEqual(['helpers/a.ts:1: the file is in no layer of ARCHITECTURE.md'])
    expect(check('live/a.ts', "import { tiers } from '@crunch/coordinator-node'")).toHaveLength(1)
  })

  test('accepts an exception only on the line itself and with a reason', () => {
    expect(check('domain/a.ts', 'const at = Date.now() // tidy-ok: the one place')).toEqual([])
    expect(check('domain/a.ts', 'const at = Date.now() // tidy-ok:')).toHaveLength(1)
    expect(check('domain/a.ts', '// tidy-ok: above\nconst at = Date.now()')).toHaveLength(1)
  })
})
