import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkPackage, type PackageRules } from './check-package.ts'
import { readSourceTree, type SourceTree } from './source-file.ts'

const packages = fileURLToPath(new URL('../../', import.meta.url))

const rules: Readonly<Record<string, PackageRules>> = {
  'coordinator-node': { layers: true },
}

/** Generated files are as their generator writes them. */
function readPackage(name: string): SourceTree {
  const tree = readSourceTree(`${packages}${name}/src`)
  return new Map([...tree].filter(([path]) => !path.startsWith('generated/')))
}

const names = readdirSync(packages).filter((name) => existsSync(`${packages}${name}/src`))

describe('every package', () => {
  test('is looked at', () => {
    expect(names).toEqual(expect.arrayContaining(['cli', 'coordinator-node', 'model-orchestrator', 'source-tree']))
    expect([...readPackage('coordinator-node').keys()]).toEqual(expect.arrayContaining(['pipeline.ts']))
  })

  test.each(names)('%s keeps the rules of ARCHITECTURE.md', (name) => {
    expect(checkPackage(readPackage(name), rules[name])).toEqual([])
  })
})
