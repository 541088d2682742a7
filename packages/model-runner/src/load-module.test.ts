import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { probe } from '../test/probe.ts'
import { writeFolder } from '../test/temporary-folder.ts'

describe('importTypeScript', () => {
  it('loads TypeScript without a build, in a folder with no package.json or a CommonJS one', async () => {
    const files = {
      'main.ts':
        "import { two } from './two.ts'\nenum Kind { A = 1 }\nexport const sum: number = Kind.A + await two()\n",
      'two.ts': 'export async function two(): Promise<number> {\n  return 2\n}\n',
    }
    const folders = [writeFolder(files), writeFolder({ ...files, 'package.json': '{"type":"commonjs"}' })]
    for (const folder of folders) {
      expect(await probe('module', join(folder, 'main.ts'))).toEqual({ exports: ['sum'], same: true })
    }
  })

  it('shares module instances with the process', async () => {
    const loadModule = fileURLToPath(new URL('./load-module.ts', import.meta.url))
    const folder = writeFolder({
      'main.ts': `import { ModuleLoadError } from ${JSON.stringify(loadModule)}\nthrow new ModuleLoadError('MODULE_THREW', 'x', 'from the file')\n`,
    })
    const { error, code, message, stack } = await probe('module', join(folder, 'main.ts'))
    expect({ error, code }).toEqual({ error: 'ModuleLoadError', code: 'MODULE_THREW' })
    expect(message).toBe(`${join(folder, 'main.ts')} threw while loading: from the file`)
    expect(stack).toMatch(/main\.ts:2:7/)
  })

  it('names the file and line of a syntax error, even in an imported file', async () => {
    const folder = writeFolder({
      'main.ts': "import './broken.ts'\n",
      'broken.ts': 'const a: number = 1\nexport const b: number = = a\n',
      'name.ts': "\nimport { absent } from './empty.ts'\nexport { absent }\n",
      'empty.ts': 'export {}\n',
      'script.mjs': 'export const a = 1\nexport const b = ]\n',
    })
    const outcomes = await Promise.all(
      ['main.ts', 'name.ts', 'script.mjs'].map((name) => probe('module', join(folder, name))),
    )
    expect(outcomes.map(({ code }) => code)).toEqual(['SYNTAX_ERROR', 'SYNTAX_ERROR', 'SYNTAX_ERROR'])
    const [transform, name, script] = outcomes.map(({ message }) => message)
    expect(transform).toMatch(/broken\.ts:2:\d+: Unexpected/)
    expect(name).toMatch(/name\.ts:2: .*does not provide an export named 'absent'/)
    expect(script).toMatch(/script\.mjs:2/)
  })

  it('distinguishes a missing file, a folder, a missing import and code that throws', async () => {
    const folder = writeFolder({
      'main.ts': "import 'not-installed-anywhere'\n",
      'parse.ts': "export const weights: unknown = JSON.parse('no')\n",
    })
    const absent = join(folder, 'absent.ts')
    expect(await probe('module', absent)).toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: `${absent} does not exist or is not a file: check the path`,
    })
    expect(await probe('module', folder)).toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(await probe('module', join(folder, 'parse.ts'))).toMatchObject({ code: 'MODULE_THREW' })
    expect(await probe('module', join(folder, 'main.ts'))).toMatchObject({
      code: 'IMPORT_NOT_FOUND',
      message: expect.stringContaining("'not-installed-anywhere' imported from"),
    })
  })
})
