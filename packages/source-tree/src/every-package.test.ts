import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkPackage, type PackageRules } from './check-package.ts'
import { readSourceTree, type SourceTree } from './source-file.ts'

const packages = fileURLToPath(new URL('../../', import.meta.url))

const rules: Readonly<Record<string, PackageRules>> = {
  'coordinator-node': {
    layers: true,
    largeFolders: {
      'adapters/model-runner/grpc': 'to be divided',
      'adapters/store/postgres': 'to be divided',
      domain: 'to be divided',
      live: 'to be divided',
    },
  },
}

/** Generated files are as their generator writes them. */
function readPackage(name: string): SourceTree {
  const tree = readSourceTree(`${packages}${name}/src`)
  return new Map([...tree].filter(([path]) => !path.startsWith('generated/')))
}

const unfurnished = ['bench', 'cli', 'e2e', 'model-orchestrator']
const names = readdirSync(packages).filter(
  (name) => existsSync(`${packages}${name}/src`) && !unfurnished.includes(name),
)

describe('every package', () => {
  test('is looked at', () => {
    expect(names).toEqual(expect.arrayContaining(['coordinator-node', 'source-tree']))
    expect([...readPackage('coordinator-node').keys()]).toEqual(expect.arrayContaining(['pipeline.ts']))
  })

  test.each(names)('%s keeps the rules of ARCHITECTURE.md', (name) => {
    expect(checkPackage(readPackage(name), rules[name])).toEqual([])
  })
})
