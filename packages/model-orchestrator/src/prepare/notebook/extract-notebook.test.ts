import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pythonIsMissing } from '@crunch/python-peers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNotebookReader } from '../../../test/notebook-reader.ts'
import { rememberingLog } from '../../../test/workspace.ts'
import { startProcessGuard } from '../../process/process-guard.ts'
import { extractNotebook, notebookRequirements } from './extract-notebook.ts'

interface Expected {
  readonly error?: string
  readonly source: string
  readonly requirements: readonly unknown[]
  readonly files: Readonly<Record<string, string>>
}

const missing = process.env.CI === 'true' ? null : pythonIsMissing()
const folder = fileURLToPath(new URL('../../../test/notebooks', import.meta.url))
const expected: Readonly<Record<string, Expected>> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
const names = readdirSync(folder).filter((name) => name.endsWith('.ipynb'))

const home = mkdtempSync(join(tmpdir(), 'notebooks-'))
const guard = startProcessGuard(rememberingLog())
let reader: Awaited<ReturnType<typeof openNotebookReader>>
beforeAll(async () => {
  if (missing === null) reader = await openNotebookReader(guard)
})
afterAll(() => {
  reader?.close()
  guard.close()
  rmSync(home, { recursive: true })
})

const extract = (file: string) => extractNotebook({ ...reader, file, scratchDirectory: home })

/** A notebook of this text. */
function extractText(text: string) {
  const file = join(home, 'a.ipynb')
  writeFileSync(file, text)
  return extract(file)
}

/** A notebook of these code cells. */
const notebook = (...cells: readonly string[]) =>
  extractText(JSON.stringify({ nbformat: 4, cells: cells.map((source) => ({ cell_type: 'code', source })) }))

describe.skipIf(missing !== null)(
  `notebooks give what crunch-convert makes of them${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('has a result of crunch-convert for each', () => {
      expect(names.map((name) => name.replace('.ipynb', '')).sort()).toEqual(Object.keys(expected).sort())
    })

    it.each(names)('%s', async (name) => {
      const judged = expected[name.replace('.ipynb', '')]!
      if (judged.error !== undefined) {
        await expect(extract(join(folder, name))).rejects.toMatchObject({ code: 'BUILD_FAILED' })
        return
      }
      const { source, imports, files } = await extract(join(folder, name))
      expect(source).toBe(judged.source)
      const sorted = imports.map(({ isStandard, ...one }) => ({
        ...one,
        extras: [...one.extras].sort(),
        specs: [...one.specs].sort(),
      }))
      expect(sorted.sort((a, b) => (a.module < b.module ? -1 : 1))).toEqual(judged.requirements)
      expect(Object.fromEntries(files)).toEqual(judged.files)
    })
  },
)

describe.skipIf(missing !== null)('a notebook', () => {
  it.each([
    [['import a', 'x = 1\ny = (1,\nz = [2'], "a.ipynb: cell 2 line 3: '[' was never closed"],
    [['x = 1\n)'], "a.ipynb: cell 1 line 2: unmatched ')'"],
    [['!pip install aa', '!echo it\'s\nx = f"{1"\n'], 'a.ipynb: cell 2 line 2: '],
    [['\ndef f():\n  return "oops\n'], 'a.ipynb: cell 1 line 3: unterminated string literal'],
    [['x = 1\n  y = 2'], 'a.ipynb: cell 1 line 2: unexpected indent'],
    [['\nimport aa  # = x'], 'a.ipynb: cell 1 line 2: "= x" is not a version'],
    [['import aa  # ==1', 'import aa  # ==2'], 'a.ipynb: cell 2 line 1: "aa" is imported as "aa==1" and as "aa==2"'],
    [
      ['\n!pip install ./here'],
      'a.ipynb: cell 1 line 2: "./here" is a path; packages come only from the package index',
    ],
  ])('names cell and line of what is wrong: %j', async (cells, message) => {
    await expect(notebook(...cells)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining(message),
    })
  })

  it('is refused when it is none, too old or of another language', async () => {
    await expect(extractText('{')).rejects.toThrow(/a.ipynb is not a notebook that can be run: it is not JSON/)
    await expect(extractText('{"nbformat":3,"worksheets":[]}')).rejects.toThrow(/format 4 are supported/)
    const metadata = { kernelspec: { language: 'R' } }
    await expect(extractText(JSON.stringify({ nbformat: 4, metadata, cells: [] }))).rejects.toThrow(/written in R/)
  })

  it('keeps commands out of strings and brackets, over their continued lines, and cells of other languages', async () => {
    const { source, installed } = await notebook(
      'def f(a):\n    """\n    !not a command\n    """\n    return (a\n        % 3)\n!pip install one \\\n  two\nimport one',
      '%%bash\necho "it\'s',
    )
    expect(source).toBe(
      'def f(a):\n    """\n    !not a command\n    """\n    return (a\n        % 3)\n' +
        '#!pip install one \\\n#  two\nimport one\n\n\n#%%bash\n#echo "it\'s\n',
    )
    expect(installed).toEqual(['one', 'two'])
  })

  it('requires what it imports and installs, under the names of packages, without what is there anyway', async () => {
    const found = await notebook(
      '!pip install -q -r other.txt scikit-learn==1.5 "lightgbm[fast]>=4" && ls\n!uv pip install polars\n!python -m pip install x1',
      'import os, sklearn, yaml, helper\nimport polars  # ==1.2\nfrom tracker import TrackerBase\nimport numpy',
    )
    expect(notebookRequirements(found, new Set(['tracker', 'helper']))).toEqual([
      'lightgbm[fast]>=4',
      'numpy',
      'polars==1.2',
      'pyyaml',
      'scikit-learn==1.5',
      'x1',
    ])
    expect(found.warnings).toEqual([`cell 1 line 1: pip's option "-r other.txt" has no effect here`])
  })

  it('warns of constants that are gone, and imports that are no requirement', async () => {
    const { warnings } = await notebook(
      'ALPHA, BETA = 1, 2\n# @crunch/keep:on\nGAMMA = 3',
      'class Model:\n    def f(self, BETA2):\n        import json\n        return ALPHA + GAMMA + self.BETA',
    )
    expect(warnings).toEqual([
      expect.stringMatching(/^cell 2 line 1: 1 imports inside this statement are no requirements/),
      expect.stringMatching(/^cell 2: the statement at line 1 uses "ALPHA", which is commented out/),
    ])
  })

  it('leaves out help, results of commands, and code of the newest Python that only it can read', async () => {
    const { source, imports } = await notebook(
      'import aa\naa.f?\n?aa\nfiles = !ls\nasync with aa.open() as b: pass\nmatch b:\n  case 1: pass\nimport cc; text = "ä"; more = 1',
    )
    expect(imports.map(({ module }) => module)).toEqual(['aa', 'cc'])
    expect(source.split('\n').at(-2)).toBe('import cc; #text = "ä"; #more = 1')
  })

  it("is refused with Python's own words when Python fails on it", async () => {
    await expect(notebook(`x = ${'-'.repeat(200_000)}1`)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(/a\.ipynb cannot be read: Python .*; its last lines: [\s\S]*(Error|error)/),
    })
  })

  it('has no answer of gigabytes when each of thousands of modules has the same long comment', async () => {
    const names = Array.from({ length: 8_000 }, (_, index) => `a${index}`)
    const { imports } = await notebook(`import ${names.join(',')}  # ${'x'.repeat(80_000)}`)
    expect(imports.map(({ module }) => module)).toEqual(names)
  })

  it.each([
    ['a long command', `!pip install \\\n${'a '.repeat(40_000)}`, /line 1: the command has more than 10000 characters/],
    ['many commands', '!a\n'.repeat(1_200), /cell 1 line 1001: the cell has more than 1000 commands/],
  ])('is refused for %s', async (_, source, message) => {
    await expect(notebook(source)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(message),
    })
  })

  it('ignores long comments without blocking', async () => {
    const { imports } = await notebook(`import a  ${'# '.repeat(40_000)}x`)
    expect(imports).toMatchObject([{ module: 'a', specs: [] }])
  })

  it('is refused when its program takes more than 64 MiB', async () => {
    // Each of these letters takes two bytes there and six in the answer.
    await expect(notebook(`# ${'é'.repeat(12_000_000)}`)).rejects.toThrow(
      /a\.ipynb cannot be read: the program in it takes \d+ bytes, more than 67108864/,
    )
  })

  it('has at most 100 warnings', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `name${index}`)
    const { warnings } = await notebook(...[names.map((name) => `${name} = 1`), `def f(): return [${names}]`].flat())
    expect(warnings).toHaveLength(101)
    expect(warnings.at(-1)).toBe('200 more warnings of this kind')
  })

  it.each(['../x', '/etc/x', 'main.py', 'Requirements.txt'])('does not hold a file %s', async (file) => {
    const cells = [{ cell_type: 'markdown', source: `---\nfile: ${file}\n---\nx` }]
    await expect(extractText(JSON.stringify({ nbformat: 4, cells }))).rejects.toThrow(
      /a.ipynb: cell 1 line 1: file ".*" (is outside|conflicts)/,
    )
  })
})
