import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pythonIsMissing } from '@crunch/python-peers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openNotebookReader } from '../../../test/notebook-reader.ts'
import { rememberingLog } from '../../../test/workspace.ts'
import { type ProcessGuard, startProcessGuard } from '../../process/process-guard.ts'
import { writeNotebookProgram } from './notebook-submission.ts'

const missing = process.env.CI === 'true' ? null : pythonIsMissing()

let root: string
let folder: string
let guard: ProcessGuard
let reader: Awaited<ReturnType<typeof openNotebookReader>>
beforeEach(async () => {
  if (missing !== null) return
  guard = startProcessGuard(rememberingLog())
  reader = await openNotebookReader(guard)
  root = await mkdtemp(join(tmpdir(), 'notebook-'))
  folder = join(root, 'book')
  await mkdir(join(folder, 'data'), { recursive: true })
  await mkdir(join(root, 'path', 'tracker'), { recursive: true })
  await book('import requests, tracker, helper\nimport shared\n\n\nx = 1\n')
  await writeFile(join(folder, 'helper.py'), 'ONE = 1\n')
  await writeFile(join(folder, 'data', 'table.csv'), '1,2\n')
  await writeFile(join(folder, '.hidden'), '')
})
afterEach(async () => {
  if (missing !== null) return
  reader.close()
  guard.close()
  await rm(root, { recursive: true, force: true })
})

const book = (source: string) =>
  writeFile(join(folder, 'a.ipynb'), JSON.stringify({ nbformat: 4, cells: [{ cell_type: 'code', source }] }))
const program = () =>
  writeNotebookProgram(
    { directory: folder, language: 'notebook', main: 'a.ipynb' },
    { ...reader, directory: join(root, 'out'), pythonPath: [join(root, 'path')], baseClassName: 'shared.Base' },
  )

describe.skipIf(missing !== null)('the program of a notebook', () => {
  it('is written once, with the files beside the notebook and the requirements', async () => {
    const [one, two] = await Promise.all([program(), program()])
    expect(two.directory).toBe(one.directory)
    expect(await readdir(join(root, 'out'))).toHaveLength(1)
    expect((await readdir(one.directory, { recursive: true })).sort()).toEqual(
      ['data', 'data/table.csv', 'helper.py', 'main.py', 'requirements.txt'].sort(),
    )
    expect(await readFile(one.main, 'utf8')).toBe('import requests, tracker, helper\nimport shared\n\n\n#x = 1\n')
    expect(await readFile(join(one.directory, 'requirements.txt'), 'utf8')).toBe('requests\n')
    await writeFile(join(folder, 'helper.py'), 'ONE = 2\n')
    expect((await program()).directory).not.toBe(one.directory)
  })

  it("uses the author's requirements unchanged", async () => {
    await writeFile(join(folder, 'requirements.txt'), 'mine==1  # this one\n')
    expect((await program()).requirements).toEqual(['mine==1'])
  })

  it('uses requirements that the notebook writes, and refuses invalid ones and too many', async () => {
    await book('%%writefile requirements.txt\nriver==1')
    expect((await program()).requirements).toEqual(['river==1'])
    await book('%%writefile requirements.txt\n\n-e .')
    await expect(program()).rejects.toThrow(/a\.ipynb: requirements\.txt line 2: "-e \." is an option/)
    await book(`import ${Array.from({ length: 501 }, (_, index) => `a${index}`)}`)
    await expect(program()).rejects.toThrow(/a\.ipynb has 501 requirements, more than 500/)
  })

  it('refuses links beside the notebook', async () => {
    await symlink('/etc', join(folder, 'data', 'link'))
    await expect(program()).rejects.toThrow(/data\/link is not a file; copy what it links to/)
  })
})
