import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorkshop } from '../../test/open-workshop.ts'
import { createStandInPython } from '../../test/stand-in-python.ts'
import { createWorkspace, rememberingLog } from '../../test/workspace.ts'
import { startProcessGuard } from '../process/process-guard.ts'
import { inspectSubmission } from '../submission/submission.ts'
import { createPreparation, type PreparationResources, prepareSubmission } from './prepare-submission.ts'

let space: Awaited<ReturnType<typeof createWorkspace>>
const cleanups: (() => unknown)[] = []
beforeEach(async () => {
  space = await createWorkspace()
  cleanups.push(() => space.remove())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function preparation(path: readonly string[] = []): Promise<PreparationResources> {
  const python = await createStandInPython()
  const guard = startProcessGuard(rememberingLog())
  const workshop = await openWorkshop(guard, { namespaces: 'off' })
  cleanups.push(python.remove, () => guard.close(), workshop.close)
  return createPreparation({
    submissionsDirectory: space.submissions,
    runnerCommand: { command: 'node', args: ['runner.js'] },
    baseClassName: 'tracker.TrackerBase',
    python: { program: python.program, path },
    source: { PATH: process.env.PATH },
    guard,
    workshop,
  })
}

async function prepare(files: Readonly<Record<string, string>>, resources: PreparationResources, resource?: string) {
  const folder = join(space.submissions, 'one')
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const submission = await inspectSubmission(folder)
  return prepareSubmission(submission, resource ?? null, resources, new AbortController().signal, () => undefined)
}

describe('a submission', () => {
  it('in Python gets an environment, the base class on its path, and its resources', async () => {
    const base = join(space.root, 'python')
    const resource = join(space.root, 'models', 'weights')
    for (const folder of [base, resource]) await mkdir(folder, { recursive: true })
    const folder = join(space.submissions, 'one')
    const prepared = await prepare({ 'main.py': '' }, await preparation([base]), 'weights')
    const environment = join(space.root, '.environments')
    expect(prepared).toMatchObject({ language: 'python', directory: folder })
    expect(prepared.command.startsWith(environment)).toBe(true)
    expect(prepared.args.slice(1)).toEqual(['--code-directory', folder])
    expect(prepared.environment).toEqual({
      MODEL_BASE_CLASSNAME: 'tracker.TrackerBase',
      RESOURCE_DIRECTORY: resource,
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      GRPC_ENABLE_FORK_SUPPORT: '0',
      PYTHONPATH: base,
    })
    expect(prepared.readableDirectories).toEqual([resource, expect.stringContaining(environment), base])
  })

  it.each([
    ['main.ts', 'typescript'],
    ['main.mjs', 'javascript'],
  ])('with a %s needs only the runner', async (main, language) => {
    const prepared = await prepare({ [main]: '' }, await preparation(), 'none')
    expect(prepared).toMatchObject({
      language,
      command: 'node',
      environment: { MODEL_BASE_CLASSNAME: 'tracker.TrackerBase' },
    })
    expect(prepared.args).toEqual(['runner.js', '--code-directory', prepared.directory, '--exit-with-parent'])
  })

  it('is refused for an invalid requirement, with its file and line', async () => {
    const files = { 'main.py': '', 'requirements.txt': 'river\n-r more.txt\n' }
    await expect(prepare(files, await preparation())).rejects.toThrow(
      `${join(space.submissions, 'one', 'requirements.txt')} line 2: "-r more.txt" is an option of pip`,
    )
  })
})

it('refuses a Python path with a missing folder', async () => {
  await expect(preparation(['/nowhere'])).rejects.toMatchObject({
    code: 'SETTINGS_INVALID',
    message: expect.stringContaining('--python-path /nowhere does not exist'),
  })
})
