import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWorkspace } from '../../test/workspace.ts'
import { parseModelsFile } from '../models-file/models-file.ts'
import { planCopy } from './copy-submission.ts'
import { addSubmission, changeModel, type NewSubmission, removeModel, setDesiredState } from './submission-store.ts'

const COMMENTED = `# the models of this node
models:
  # the first one ever
  - id: "1"
    submission_id: momentum # trends
    crunch_id: weather
    desired_state: RUNNING
    model_name: 'momentum'
  - id: 7
    submission_id: mean
    crunch_id: other
    desired_state: STOPPED
  # the end
`

let space: Awaited<ReturnType<typeof createWorkspace>>
let sources: string
beforeEach(async () => {
  space = await createWorkspace()
  sources = join(space.root, 'participant')
  await mkdir(sources)
  await writeFile(space.modelsFile, COMMENTED)
})
afterEach(() => space.remove())

async function source(name: string, files: Readonly<Record<string, string>> = { 'main.ts': 'export {}' }) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(sources, name, path, '..'), { recursive: true })
    await writeFile(join(sources, name, path), text)
  }
  return join(sources, name)
}
const add = (from: string, more: Partial<NewSubmission> = {}) =>
  addSubmission({
    source: from,
    submissionsDirectory: space.submissions,
    modelsFile: space.modelsFile,
    crunchId: 'weather',
    ...more,
  })
const fileText = () => readFile(space.modelsFile, 'utf8')
const entries = async () =>
  parseModelsFile({ path: 'models.dev.yml', text: await fileText(), crunchId: 'weather' }).entries

/** The submissions, without the file of the highest id beside them. */
const stored = async () => (await readdir(space.submissions)).filter((name) => !name.startsWith('.'))

describe('addSubmission', () => {
  it('copies the folder without generated files, and writes an entry', async () => {
    const folder = await source('My Trend!', {
      'main.ts': 'export {}',
      'data/weights.txt': '1',
      'node_modules/x/index.js': '',
      'data/__pycache__/x.pyc': '',
      '.git/HEAD': '',
      '.venv/bin/python': '',
    })
    await symlink('data/weights.txt', join(folder, 'weights'))
    expect(await add(folder, { modelName: 'the trend', cruncherId: 'me', cruncherName: 'Me' })).toEqual({
      id: '8',
      submissionId: 'My-Trend',
      modelName: 'the trend',
      cruncherId: 'me',
      cruncherName: 'Me',
      desiredState: 'RUNNING',
    })
    const copied = join(space.submissions, 'My-Trend')
    expect((await readdir(copied, { recursive: true })).sort()).toEqual([
      'data',
      'data/weights.txt',
      'main.ts',
      'weights',
    ])
    expect(await readFile(join(copied, 'weights'), 'utf8')).toBe('1')
    expect((await stat(copied)).mode & 0o777).toBe(0o755)
    expect((await entries()).at(-1)).toMatchObject({ id: '8', submissionId: 'My-Trend', desiredState: 'RUNNING' })
    expect((await readdir(space.root)).filter((name) => name.includes('.new'))).toEqual([])
  })

  it('keeps all existing lines and the permissions of the file', async () => {
    await chmod(space.modelsFile, 0o640)
    await add(await source('trend'))
    const text = await fileText()
    expect(text.startsWith(COMMENTED.slice(0, COMMENTED.indexOf('\n  # the end')))).toBe(true)
    expect(text).toContain('# the end')
    expect((await stat(space.modelsFile)).mode & 0o777).toBe(0o640)
  })

  it.each([
    ['an empty list', 'models: []\n', /^models:\n {2}- id: "1"\n {4}submission_id: trend\n/],
    ['no list yet', '# none\nmodels:\n', /^# none\nmodels:\n {2}- id: "1"/],
    ['lines without indent', 'models:\n- id: a\n  submission_id: x\n  desired_state: STOPPED\n', /\n- id: "1"\n/],
    ['JSON', '{"models": []}', /^\{ "models": \[ \{ id: "1"/],
  ])('writes into %s', async (_, text, expected) => {
    await writeFile(space.modelsFile, text)
    await add(await source('trend'))
    expect(await fileText()).toMatch(expected)
  })

  it('quotes values that Python would read as numbers or booleans', async () => {
    await add(await source('20250101_000000_001'), { modelName: 'no' })
    expect(await fileText()).toContain('submission_id: "20250101_000000_001"')
    expect(await fileText()).toContain('model_name: "no"')
    await changeModel({ ...space, submissionsDirectory: space.submissions }, '1', { modelName: '1_000' })
    expect(await fileText()).toContain('model_name: "1_000"')
  })

  it('appends a number to an id that a folder or an entry already has', async () => {
    const folder = await source('momentum')
    const ids = [await add(folder), await add(folder)].map(({ submissionId }) => submissionId)
    expect(ids).toEqual(['momentum-2', 'momentum-3'])
    expect((await add(await source('trend'), { submissionId: '../../x y' })).submissionId).toBe('x-y')
  })

  it('does not copy a folder that is already in the submissions folder', async () => {
    await space.submission('here', 'export {}')
    expect(await add(join(space.submissions, 'here'))).toMatchObject({ submissionId: 'here' })
    expect(await stored()).toEqual(['here'])
  })

  it('accepts Python folders, and puts a notebook into a new folder', async () => {
    const python = await source('py', { 'main.py': '', 'requirements.txt': '' })
    expect(await add(python)).toMatchObject({ submissionId: 'py' })
    const notebook = join(sources, 'My idea.ipynb')
    await writeFile(notebook, JSON.stringify({ cells: [], nbformat: 4, nbformat_minor: 5, metadata: {} }))
    expect(await add(notebook)).toMatchObject({ submissionId: 'My-idea', modelName: 'My idea' })
    expect(await readdir(join(space.submissions, 'My-idea'))).toEqual(['My idea.ipynb'])
  })

  it.each([
    ['NaN and a byte order mark', Buffer.from('\ufeff {"cells": [NaN]}')],
    ['UTF-16', Buffer.from('\ufeff{"cells": []}', 'utf16le')],
    ['format 3', Buffer.from('{"worksheets": []}')],
  ])('accepts a notebook with %s, as Python does', async (_, content) => {
    await writeFile(join(sources, 'a.IPYNB'), content)
    expect(await add(join(sources, 'a.IPYNB'))).toMatchObject({ submissionId: 'a', modelName: 'a' })
  })

  it.each([
    ['模型', '模型', 'submission'],
    ['Прогноз 2', 'Прогноз 2', '2'],
    ['Zoe\u0308', 'Zo\u00eb', 'Zoe'],
    ['My Trend!', 'My Trend!', 'My-Trend'],
    ['Ｔrend', 'Ｔrend', 'Trend'],
    ['v1.0 ', 'v1.0', 'v1.0'],
  ])('names the model after its folder "%s"', async (folder, modelName, submissionId) => {
    expect(await add(await source(folder))).toMatchObject({ modelName, submissionId })
    expect(await add(await source(folder), { replace: true })).toMatchObject({ id: '8', modelName })
  })

  it.each([
    ['天气', '模型'],
    ['My Model', 'My-Model'],
    ['My-Model-2', 'My-Model'],
    ['Ａ', 'A'],
    ['a', 'A'],
    ['é', 'e'],
  ])('does not use the folder "%s" to replace the model "%s"', async (other, name) => {
    await add(await source(name))
    await expect(add(await source(other), { replace: true })).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining(`no model has the name "${other}"`),
    })
    expect((await add(await source(other))).modelName).toBe(other)
    expect((await entries()).map(({ infos }) => infos.model_name)).toEqual(['momentum', name, other])
  })

  it('treats composed and decomposed letters in a name as equal', async () => {
    await add(await source('caf\u00e9'))
    expect(await add(await source('cafe\u0301'), { replace: true })).toMatchObject({ id: '8', modelName: 'caf\u00e9' })
  })

  it.each(['a\u202eb', 'a\nb', ' '])('refuses the invisible name %j', async (name) => {
    await expect(add(await source('trend'), { modelName: name })).rejects.toMatchObject({
      code: 'SUBMISSION_REFUSED',
      message: expect.stringContaining('cannot be the name of a model'),
    })
    expect(await stored()).toEqual([])
  })

  it('replaces the code of the model with that name by a new submission', async () => {
    const folder = await source('momentum')
    expect(await add(folder, { replace: true })).toMatchObject({ id: '1', submissionId: 'momentum-2' })
    expect(await fileText()).toContain('submission_id: momentum-2 # trends')
    expect(await entries()).toHaveLength(1)
    await expect(add(folder, { replace: true, modelName: 'nobody' })).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining('no model has the name "nobody"'),
    })
    expect(await readdir(space.submissions)).toEqual(['momentum-2'])
  })

  it('loses no model when many are added at once', async () => {
    const folders = await Promise.all(Array.from({ length: 12 }, (_, index) => source(`model${index % 4}`)))
    const added = await Promise.all(folders.map((folder) => add(folder)))
    expect(new Set(added.map(({ id }) => id)).size).toBe(12)
    expect((await entries()).map(({ submissionId }) => submissionId).sort()).toEqual(
      ['momentum', ...added.map(({ submissionId }) => submissionId)].sort(),
    )
    expect((await stored()).sort()).toEqual(added.map(({ submissionId }) => submissionId).sort())
  })

  it('refuses a submission without a model, and copies nothing', async () => {
    const empty = await source('empty', { 'readme.md': '' })
    const noMain = { code: 'SUBMISSION_REFUSED', message: expect.stringContaining(empty) }
    await expect(add(empty)).rejects.toMatchObject(noMain)
    await expect(add(join(sources, 'missing'))).rejects.toMatchObject({ code: 'SUBMISSION_REFUSED' })
    const loose = join(await source('loose'), 'main.ts')
    await expect(add(loose)).rejects.toThrow(/a submission is a folder, or one notebook/)
    for (const text of ['', '{"a": 1}', '["cells"]', '<!DOCTYPE html><p>{"cells"}']) {
      await writeFile(join(sources, 'broken.ipynb'), text)
      await expect(add(join(sources, 'broken.ipynb'))).rejects.toThrow(/it is not a notebook/)
    }
    await expect(add(space.root)).rejects.toThrow(/contains the submissions themselves/)
    expect(await readdir(space.submissions)).toEqual([])
    expect(await fileText()).toBe(COMMENTED)
  })

  it('refuses links that leave the folder, and a folder over the limits', async () => {
    const folder = await source('trend')
    await symlink('../../models.dev.yml', join(folder, 'secret'))
    await expect(add(folder)).rejects.toThrow(/secret: it is a link that leaves the folder/)
    const dangling = await source('dangling')
    await symlink('nowhere', join(dangling, 'x'))
    await expect(add(dangling)).rejects.toThrow(/x: it is a link to nowhere, which cannot be opened/)
    const large = await source('large', { 'main.ts': 'x'.repeat(60), 'b.txt': 'y'.repeat(60) })
    await expect(planCopy(large, { bytes: 100, files: 10 })).rejects.toThrow(/more than 100 bytes; leave out/)
    await expect(planCopy(large, { bytes: 1_000, files: 1 })).rejects.toThrow(/more than 1 files/)
    expect(await readdir(space.submissions)).toEqual([])
  })

  it('refuses special files such as pipes without blocking on them', async () => {
    const folder = await source('pipe')
    await promisify(execFile)('mkfifo', [join(folder, 'requirements.txt')])
    await expect(add(folder)).rejects.toThrow(
      /requirements\.txt: it is neither a file nor a folder nor a link; remove it/,
    )
    expect(await readdir(space.submissions)).toEqual([])
  })

  it('leaves no copy behind if the models file is invalid', async () => {
    await writeFile(space.modelsFile, 'models: 7')
    await expect(add(await source('trend'))).rejects.toMatchObject({ code: 'MODELS_FILE_INVALID' })
    expect(await readdir(space.submissions)).toEqual([])
    expect(await fileText()).toBe('models: 7')
  })
})

describe('changes of a model', () => {
  it('set the state or remove the entry, and change nothing else', async () => {
    await setDesiredState(space.modelsFile, '1', 'STOPPED')
    expect(await fileText()).toBe(COMMENTED.replace('desired_state: RUNNING', 'desired_state: STOPPED'))
    await removeModel(space.modelsFile, '7')
    expect(await fileText()).not.toContain('other')
    await removeModel(space.modelsFile, '1')
    expect(await entries()).toEqual([])
    for (const change of [
      () => removeModel(space.modelsFile, '9'),
      () => setDesiredState(space.modelsFile, '9', 'RUNNING'),
    ]) {
      await expect(change()).rejects.toMatchObject({ code: 'MODEL_UNKNOWN', message: expect.stringContaining('"9"') })
    }
  })

  it('set new code and names', async () => {
    const change = { source: await source('upload'), submissionId: '20250101_000000_001', modelName: 'new: "name"' }
    expect(await changeModel({ ...space, submissionsDirectory: space.submissions }, '1', change)).toMatchObject({
      id: '1',
      submissionId: '20250101_000000_001',
      modelName: 'new: "name"',
      desiredState: 'RUNNING',
    })
    await expect(changeModel({ ...space, submissionsDirectory: space.submissions }, '9', change)).rejects.toMatchObject(
      { code: 'MODEL_UNKNOWN' },
    )
    expect(await readdir(space.submissions)).toEqual(['20250101_000000_001'])
  })
})
