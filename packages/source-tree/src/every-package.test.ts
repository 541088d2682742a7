import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkPackage, type PackageRules } from './check-package.ts'
import { readSourceTree, type SourceTree } from './source-file.ts'

const packages = fileURLToPath(new URL('../../', import.meta.url))

const rules: Readonly<Record<string, PackageRules>> = {
  'coordinator-node': { layers: true },
}

/** The sources of a package, without generated files. */
function readPackage(name: string): SourceTree {
  const tree = readSourceTree(`${packages}${name}/src`)
  return new Map([...tree].filter(([path]) => !path.startsWith('generated/')))
}

const names = readdirSync(packages).filter((name) => existsSync(`${packages}${name}/src`))

// Reading all sources takes seconds on a busy machine.
describe('every package', { timeout: 60_000 }, () => {
  test('is listed', () => {
    expect(names).toEqual(expect.arrayContaining(['cli', 'coordinator-node', 'model-orchestrator', 'source-tree']))
    expect([...readPackage('coordinator-node').keys()]).toEqual(expect.arrayContaining(['pipeline.ts']))
  })

  test.each(names)('%s keeps the rules of ARCHITECTURE.md', (name) => {
    expect(checkPackage(readPackage(name), rules[name])).toEqual([])
  })
})
