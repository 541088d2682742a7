import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type ExtractedNotebook, extractNotebook, notebookRequirements } from './extract-notebook.ts'

interface Expected {
  readonly error?: string
  readonly source: string
  readonly requirements: readonly unknown[]
  readonly files: Readonly<Record<string, string>>
  readonly warnings: readonly { readonly category: string; readonly cell: string; readonly line: number }[]
}

const folder = fileURLToPath(new URL('../test/notebooks', import.meta.url))
const expected: Readonly<Record<string, Expected>> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
const names = readdirSync(folder).filter((name) => name.endsWith('.ipynb'))
const extract = (name: string) => extractNotebook(readFileSync(join(folder, name), 'utf8'), name)

/** A notebook of these code cells. */
const notebook = (...cells: readonly string[]) =>
  extractNotebook(
    JSON.stringify({ nbformat: 4, cells: cells.map((source) => ({ cell_type: 'code', source })) }),
    'a.ipynb',
  )

function failure(work: () => ExtractedNotebook): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('it was extracted')
}

describe('notebooks give what crunch-convert makes of them', () => {
  it('has a result of crunch-convert for each', () => {
    expect(names.map((name) => name.replace('.ipynb', '')).sort()).toEqual(Object.keys(expected).sort())
  })

  it.each(names)('%s', (name) => {
    const judged = expected[name.replace('.ipynb', '')]!
    if (judged.error !== undefined) {
      expect(failure(() => extract(name))).toMatchObject({ code: 'BUILD_FAILED' })
      return
    }
    const { source, imports, files, origins } = extract(name)
    expect(source).toBe(judged.source)
    const sorted = imports.map((one) => ({ ...one, extras: [...one.extras].sort(), specs: [...one.specs].sort() }))
    expect(sorted.sort((a, b) => (a.module < b.module ? -1 : 1))).toEqual(judged.requirements)
    expect(Object.fromEntries(files)).toEqual(judged.files)
    expect(origins).toHaveLength(source.split('\n').length - 1)
  })
})

describe('a notebook', () => {
  it.each([
    [['import a', 'x = 1\ny = (1,\nz = [2'], 'a.ipynb: cell 2 line 3: "[" was never closed'],
    [['x = 1\n)'], 'a.ipynb: cell 1 line 2: unmatched ")"'],
    [['\ndef f():\n  return "oops\n'], 'a.ipynb: cell 1 line 3: the string that begins with " is not closed'],
    [['x = 1\n  y = 2'], 'a.ipynb: cell 1 line 2: unexpected indent'],
    [['\nimport aa  # = x'], 'a.ipynb: cell 1 line 2: "= x" is no version'],
    [['import aa  # ==1', 'import aa  # ==2'], 'a.ipynb: cell 2 line 1: "aa" is imported as "aa==1" and as "aa==2"'],
    [
      ['\n!pip install ./here'],
      'a.ipynb: cell 1 line 2: "./here" is a path; packages come from the package index only',
    ],
  ])('names cell and line of what is wrong: %j', (cells, message) => {
    expect(failure(() => notebook(...cells)).message).toContain(message)
  })

  it('is refused when it is none, too old or of another language', () => {
    expect(failure(() => extractNotebook('{', 'a')).message).toMatch(/^a is no notebook that can be run: it is no JSON/)
    expect(failure(() => extractNotebook('{"nbformat":3,"worksheets":[]}', 'a')).message).toMatch(/format 4 are read/)
    const metadata = { kernelspec: { language: 'R' } }
    const text = JSON.stringify({ nbformat: 4, metadata, cells: [] })
    expect(failure(() => extractNotebook(text, 'a')).message).toMatch(/written in R/)
  })

  it('keeps commands out of strings and brackets, over their continued lines, and cells of other languages', () => {
    const { source, installed } = notebook(
      'def f(a):\n    """\n    !not a command\n    """\n    return (a\n        % 3)\n!pip install one \\\n  two\nimport one',
      '%%bash\necho "it\'s',
    )
    expect(source).toBe(
      'def f(a):\n    """\n    !not a command\n    """\n    return (a\n        % 3)\n' +
        '#!pip install one \\\n#  two\nimport one\n\n\n#%%bash\n#echo "it\'s\n',
    )
    expect(installed).toEqual(['one', 'two'])
  })

  it('requires what it imports and installs, under the names of packages, without what is there anyway', () => {
    const found = notebook(
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

  it('warns of constants that are gone, and imports that are no requirement', () => {
    const { warnings } = notebook(
      'ALPHA, BETA = 1, 2\n# @crunch/keep:on\nGAMMA = 3',
      'class Model:\n    def f(self, BETA2):\n        import json\n        return ALPHA + GAMMA + self.BETA',
    )
    expect(warnings).toEqual([
      expect.stringMatching(/^cell 2 line 1: 1 imports inside "class" are no requirements/),
      expect.stringMatching(/^cell 2: the statement at line 1 may use "ALPHA", which is commented out/),
    ])
  })

  it.each(['../x', '/etc/x', 'main.py', 'Requirements.txt'])('does not hold a file %s', (file) => {
    const cells = [{ cell_type: 'markdown', source: `---\nfile: ${file}\n---\nx` }]
    const text = JSON.stringify({ nbformat: 4, cells })
    expect(failure(() => extractNotebook(text, 'a')).message).toMatch(
      /^a: cell 1 line 1: file ".*" (is outside|conflicts)/,
    )
  })
})
