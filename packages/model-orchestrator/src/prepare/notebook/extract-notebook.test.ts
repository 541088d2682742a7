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

/** Extracts a notebook with this text. */
function extractText(text: string | Buffer) {
  const file = join(home, 'a.ipynb')
  writeFileSync(file, text)
  return extract(file)
}

/** Extracts a notebook with these code cells. */
const notebook = (...cells: readonly string[]) =>
  extractText(JSON.stringify({ nbformat: 4, cells: cells.map((source) => ({ cell_type: 'code', source })) }))

describe.skipIf(missing !== null)(
  `notebooks are converted as by crunch-convert${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('has a result of crunch-convert for each notebook', () => {
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
      expect(Object.fromEntries([...files].map(([path, content]) => [path, content.toString()]))).toEqual(judged.files)
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
  ])('names the cell and line of an error: %j', async (cells, message) => {
    await expect(notebook(...cells)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining(message),
    })
  })

  it('is refused if it is not a notebook, or has an unknown format or another language', async () => {
    await expect(extractText('{')).rejects.toThrow(/a.ipynb is not a notebook that can be run: it is not JSON/)
    await expect(extractText('[1]')).rejects.toThrow(/it is not a JSON object/)
    await expect(extractText('{"cells":1}')).rejects.toThrow(/it has no "cells"/)
    await expect(extractText('{"nbformat":5,"cells":[]}')).rejects.toThrow(/its format 5.0 is unknown/)
    await expect(extractText('{"cells":[{"cell_type":"code","source":[1]}]}')).rejects.toThrow(
      /cell 1 line 1: its source is not text/,
    )
    for (const metadata of [{ kernelspec: { language: 'R' } }, { language_info: { name: 'R' } }]) {
      await expect(extractText(JSON.stringify({ nbformat: 4, metadata, cells: [] }))).rejects.toThrow(/written in R/)
    }
  })

  it('comments out multi-line commands and cells of other languages, but nothing inside strings and brackets', async () => {
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

  it('requires the packages that it imports or installs, except the standard library and local modules', async () => {
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
    expect(found.warnings).toEqual([
      `cell 1 line 1: pip's option "-r other.txt" has no effect: there is no such file beside the notebook`,
    ])
  })

  it('warns of constants that are commented out, and of imports that are not requirements', async () => {
    const { warnings } = await notebook(
      'ALPHA, BETA = 1, 2\n# @crunch/keep:on\nGAMMA = 3',
      'class Model:\n    def f(self, BETA2):\n        import json\n        return ALPHA + GAMMA + self.BETA',
    )
    expect(warnings).toEqual([
      expect.stringMatching(/^cell 2 line 1: 1 imports inside this statement are not added to the requirements/),
      expect.stringMatching(/^cell 2: the statement at line 1 uses "ALPHA", which is commented out/),
    ])
  })

  it('comments out help, results of commands, and statements in the newest Python syntax', async () => {
    const { source, imports } = await notebook(
      'import aa\naa.f?\n?aa\nfiles = !ls\nasync with aa.open() as b: pass\nmatch b:\n  case 1: pass\nimport cc; text = "ä"; more = 1',
    )
    expect(imports.map(({ module }) => module)).toEqual(['aa', 'cc'])
    expect(source.split('\n').at(-2)).toBe('import cc; #text = "ä"; #more = 1')
  })

  it("is refused with Python's error if Python fails on it", async () => {
    await expect(notebook(`x = ${'-'.repeat(200_000)}1`)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(/a\.ipynb cannot be read: Python .*; its last lines: [\s\S]*(Error|error)/),
    })
  })

  it('stays small when thousands of modules share one long comment', async () => {
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

  it('is refused if the extracted program exceeds 64 MiB', async () => {
    // Each of these letters takes two bytes in the notebook and six in the JSON result.
    await expect(notebook(`# ${'é'.repeat(12_000_000)}`)).rejects.toThrow(
      /a\.ipynb cannot be read: the program in it takes \d+ bytes, more than 67108864/,
    )
  })

  it('is refused for too many commands in all cells, and limits the warnings', async () => {
    await expect(notebook('!a\n'.repeat(600), '!a\n'.repeat(600))).rejects.toThrow(
      /cell 2 line 1: the notebook has more than 1000 commands/,
    )
    const { warnings } = await notebook(`!pip install ${'{a} '.repeat(300)}`)
    expect([warnings.length, warnings.at(-1)]).toEqual([201, '100 more warnings'])
  })

  it('reads a requirements file once, even if several commands name it', async () => {
    const { installed } = await notebook('%%writefile a.txt\none', `!pip install ${'-r a.txt -r ./a.txt '.repeat(100)}`)
    expect(installed).toEqual(['one'])
  })

  it('has at most 100 warnings about its code', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `name${index}`)
    const { warnings } = await notebook(...[names.map((name) => `${name} = 1`), `def f(): return [${names}]`].flat())
    expect(warnings).toHaveLength(101)
    expect(warnings.at(-1)).toBe('200 more warnings of this kind')
  })

  it.each<[name: string, text: string | Buffer]>([
    [
      'NaN and Infinity',
      '{"nbformat":4,"metadata":{"x":NaN},"cells":[{"cell_type":"code","outputs":[-Infinity],"source":"import a"}]}',
    ],
    ['a byte order mark', '\ufeff{"nbformat":4,"cells":[{"cell_type":"code","source":["\ufeffimport a"]}]}'],
    ['UTF-16', Buffer.from('\ufeff{"nbformat":4,"cells":[{"cell_type":"code","source":"import a"}]}', 'utf16le')],
    [
      'integers of any length',
      `{"nbformat":4,"x":${'9'.repeat(5_000)},"cells":[{"cell_type":"code","source":"import a"}]}`,
    ],
    [
      'no format, no metadata',
      '{"metadata":null,"cells":[{"cell_type":"code","metadata":null,"source":"import a"},{"cell_type":"code"}]}',
    ],
    ['no cell type', '{"cells":[{"outputs":[],"source":"import a"},{"cell_type":"raw","source":")"}]}'],
    ['Windows line ends', '{"cells":[{"cell_type":"code","source":"\\r\\nimport a\\r\\n"}]}'],
    [
      'format 3',
      '{"nbformat":3,"worksheets":[{"cells":[{"cell_type":"heading","source":"x"},{"cell_type":"code","language":"python","input":["import a"]}]}]}',
    ],
  ])('is read leniently: %s', async (_, text) => {
    expect(await extractText(text)).toMatchObject({ source: 'import a\n', warnings: [] })
  })

  it('leaves out cells of other languages, with a warning', async () => {
    const foreign = [
      '%%bash\necho "x',
      '\n\n%%bash -s "a"\necho "x',
      '# shell\n%%sh\necho "x',
      '%%HTML\n<b title="5\'">x</b>',
      '%%R\t-i df\nx <- "',
      '%%cython\ncdef int f(int x):\n    return x',
      "%%capture out\n%%time\n%%sql\nSELECT 'a",
      '%%anything_at_all\na --> "b',
      '%%python2\nprint "x"',
      '%%!\necho "x',
      "%sql\nSELECT 'a",
      "%md # It's a title",
    ]
    const { source, warnings } = await notebook(...foreign, 'class M:\n    pass')
    expect(source.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual(['class M:', '    pass'])
    expect(warnings).toEqual(
      foreign.map((_, index) =>
        expect.stringMatching(`^cell ${index + 1}: left out, because (the cell magic|its first line) "%`),
      ),
    )
  })

  it('leaves out cells whose metadata name another language', async () => {
    const metadata = [
      { vscode: { languageId: 'sql' } },
      { language: 'R' },
      { dotnet_interactive: { language: 'csharp' } },
      { polyglot_notebook: { kernelName: 'pwsh' } },
      { vscode: { languageId: 'python' } },
    ]
    const cells = metadata.map((one, index) => {
      return { cell_type: 'code', metadata: one, source: index < 4 ? 'it\'s "' : 'import a' }
    })
    const { source, warnings } = await extractText(JSON.stringify({ nbformat: 4, cells }))
    expect(source).toBe(`${'#it\'s "\n\n\n'.repeat(4)}import a\n`)
    const because = ['sql', 'R', 'csharp', 'pwsh'].map((name, index) => {
      return `cell ${index + 1}: left out, because it is written in ${name}`
    })
    expect(warnings).toEqual(because)
  })

  it('keeps the Python code of magics that run it', async () => {
    const magics = ['%%time', '%%capture --no-stderr out', '\n%%timeit -n 1', '%%capture\n%%time']
    const { imports, warnings } = await notebook(...magics.map((magic, index) => `${magic}\nimport a${index}`))
    expect([imports.map(({ module }) => module), warnings]).toEqual([['a0', 'a1', 'a2', 'a3'], []])
  })

  it('writes the files of its cells; their modules are local and their imports are required', async () => {
    const found = await notebook(
      '%%writefile signals.py\nimport lightgbm  # ==4.1\nimport unused_by_nothing.x\nBASE = 1',
      '%%writefile -a ./signals.py\nimport os\n\n',
      '%%file "pkg/deep one/__init__.py"\nit\'s no Python',
      '%%writefile pkg/a.py\nimport scipy_like\n',
      '%%writefile app.py\nimport streamlit',
      '%%writefile notes.md\nold',
      "\n%%writefile notes.md\nIt's {new}",
      'from signals import BASE\nimport pkg.a',
    )
    expect(Object.fromEntries([...found.files].map(([path, content]) => [path, content.toString()]))).toEqual({
      'signals.py': 'import lightgbm  # ==4.1\nimport unused_by_nothing.x\nBASE = 1\nimport os\n\n',
      'pkg/deep one/__init__.py': "it's no Python\n",
      'pkg/a.py': 'import scipy_like\n',
      'app.py': 'import streamlit\n',
      'notes.md': "It's {new}\n",
    })
    expect(found.source).toMatch(/^#%%writefile signals\.py\n/)
    expect(found.source).not.toContain('lightgbm')
    expect(notebookRequirements(found, new Set())).toEqual(['lightgbm==4.1', 'scipy_like', 'unused_by_nothing'])
    expect(found.warnings).toEqual([expect.stringMatching(/^cell 3: pkg\/deep one\/__init__\.py is not Python \(/)])
  })

  it('does not treat data files as modules', async () => {
    const found = await notebook('%%writefile river.csv\n1', '%%writefile torch/weights.txt\n1', 'import river, torch')
    expect(notebookRequirements(found, new Set())).toEqual(['river', 'torch'])
  })

  it('installs the packages listed in the files that it writes', async () => {
    const found = await notebook(
      '%%writefile needs/list.txt\none==1 # this\ntwo',
      '!pip install -q -r ./needs/list.txt',
    )
    expect(found).toMatchObject({ installed: ['one==1', 'two'], warnings: [] })
    await expect(notebook('%%writefile list.txt\n\n-e .', '!pip install -r list.txt')).rejects.toThrow(
      /a\.ipynb: list\.txt line 2: "-e \." is an option of pip/,
    )
  })

  it.each([
    ['%%writefile ../x.py', /cell 1 line 1: file "..\/x.py" is outside of the submission/],
    ['%%writefile /content/x.py', /is outside of the submission; choose a path inside it/],
    ['%%writefile ~/x.py', /is outside of the submission/],
    ['%%writefile a/../../x.py', /is outside of the submission/],
    ['%%writefile .', /is outside of the submission/],
    ['%%writefile main.py', /conflicts with main.py/],
    ['%%writefile', /%%writefile needs the name of one file/],
    ['%%writefile a.py b.py', /needs the name of one file/],
    ['%%writefile --append', /needs the name of one file/],
    ['%%writefile {folder}/x.py', /known only when the notebook runs/],
    ['%%writefile "x.py', /%%writefile cannot be read: No closing quotation/],
    ['%%writefile a\u202eb.py', /has a name that cannot be used/],
    [`%%writefile ${'a'.repeat(300)}.py`, /has a name that cannot be used/],
  ])('is refused if a cell writes to an invalid path: %s', async (magic, message) => {
    await expect(notebook(`${magic}\nx = 1`)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(message),
    })
  })

  it('is refused if two files have conflicting names', async () => {
    await expect(notebook('%%writefile a\n1', '%%writefile a/b\n2')).rejects.toThrow(
      /cell 2 line 1: .* conflicts with a;/,
    )
    await expect(notebook('%%writefile A.py\n1', '%%writefile a.py\n2')).rejects.toThrow(/conflicts with A.py;/)
  })

  it.each(['---\nA title\n---\nand text', '---', '---\n\nfile: x\n---', '---\n---\n'])(
    'does not treat text between horizontal rules as a file: %j',
    async (source) => {
      const { files } = await extractText(JSON.stringify({ cells: [{ cell_type: 'markdown', source }] }))
      expect(files.size).toBe(0)
    },
  )

  it.each(['../x', '/etc/x', 'main.py', 'Requirements.txt'])('cannot contain a file %s', async (file) => {
    const cells = [{ cell_type: 'markdown', source: `---\nfile: ${file}\n---\nx` }]
    await expect(extractText(JSON.stringify({ nbformat: 4, cells }))).rejects.toThrow(
      /a.ipynb: cell 1 line 1: file ".*" (is outside|conflicts)/,
    )
  })
})
