import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWorkspace, KEY, rememberingLog, STAND_IN, until } from '../../test/workspace.ts'
import { startOrchestrator } from '../start-orchestrator.ts'
import { addSubmission, removeModel } from '../submission/submission-store.ts'

let space: Awaited<ReturnType<typeof createWorkspace>>
let source: string
beforeEach(async () => {
  space = await createWorkspace()
  await space.models([])
  source = join(space.root, 'source')
  await mkdir(source)
  await writeFile(join(source, 'main.mjs'), 'export {}')
})
afterEach(() => space.remove())

const markBeside = () => join(space.root, '.models.dev.yml.ids.json')
const markAmong = () => join(space.submissions, '.model-ids.json')
const remove = (id: string) => removeModel(space.modelsFile, id)
async function add(): Promise<string> {
  const { modelsFile, submissions: submissionsDirectory, logs: logsDirectory } = space
  return (await addSubmission({ source, submissionsDirectory, logsDirectory, modelsFile, crunchId: 'weather' })).id
}

describe('the id of a model that was removed', () => {
  it('is never reused', async () => {
    expect([await add(), await add()]).toEqual(['1', '2'])
    await remove('2')
    expect(await add()).toBe('3')
    for (const id of ['1', '3']) await remove(id)
    expect(await add()).toBe('4')
  })

  it.each([
    ['the id file beside the models file is lost', async () => rm(markBeside())],
    ['the id file among the submissions is lost', async () => rm(markAmong())],
    ['one id file is outdated', async () => writeFile(markBeside(), '{"highest":1}')],
    ['the models file is outdated', async () => space.models([])],
    [
      'both id files are lost, but its logs exist',
      async () => {
        await mkdir(join(space.logs, '3'), { recursive: true })
        await Promise.all([rm(markBeside()), rm(markAmong())])
      },
    ],
  ])('is not reused if %s', async (_, lose) => {
    for (const _ of [1, 2, 3]) await add()
    await remove('3')
    await lose()
    expect(await add()).toBe('4')
  })

  it('is not reused if an operator added it by hand and removed it by command', async () => {
    await space.models([{ id: '57', submission_id: 'x', desired_state: 'STOPPED' }])
    await remove('57')
    expect(await add()).toBe('58')
  })

  it('is not reused if only a running orchestrator has seen it', async () => {
    const orchestrator = await startOrchestrator({
      crunchId: 'weather',
      port: 0,
      apiKey: KEY,
      modelsFile: space.modelsFile,
      submissionsDirectory: space.submissions,
      baseClassName: 'tracker.TrackerBase',
      runnerCommand: STAND_IN,
      pollMs: 20,
      log: rememberingLog(),
    })
    try {
      await space.models([{ id: '70', submission_id: 'x', desired_state: 'STOPPED' }])
      await until('the model is listed', () => orchestrator.models().length === 1)
      await space.models([])
      await until('the model is gone', () => orchestrator.models().length === 0)
    } finally {
      await orchestrator.close()
    }
    expect(await add()).toBe('71')
  })
})

it('assigns no id while an id file is unreadable, and reports the fix', async () => {
  await add()
  await writeFile(markBeside(), 'half a fi')
  await expect(add()).rejects.toMatchObject({
    code: 'MODELS_FILE_INVALID',
    message: expect.stringMatching(/\.models\.dev\.yml\.ids\.json: .*write \{"highest": N\}/),
  })
  expect(await readFile(space.modelsFile, 'utf8')).not.toContain('"2"')
})
