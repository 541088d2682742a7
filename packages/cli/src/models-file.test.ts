import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { readRunningModels, requireRunningModels } from './models-file.ts'
import type { Workspace } from './workspace.ts'

/** A workspace whose models file lists submissions, one per line from line 3 on. */
function workspaceWith(submissionIds: readonly string[], folders: readonly string[]): Workspace {
  const directory = mkdtempSync(join(tmpdir(), 'crunch-models-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const submissionsDirectory = join(directory, 'submissions')
  for (const name of folders) mkdirSync(join(submissionsDirectory, name), { recursive: true })
  const entries = submissionIds.map((id, index) => `  - { id: ${index}, submission_id: ${id}, desired_state: RUNNING }`)
  const modelsFile = join(directory, 'models.dev.yml')
  writeFileSync(modelsFile, ['# models of the node', 'models:', ...entries].join('\n'))
  return { modelsFile, submissionsDirectory } as Workspace
}

it('a misspelt submission_id is reported with file, line and the near name', () => {
  const workspace = workspaceWith(['flat', 'trned'], ['trend', 'flat', '.staged'])
  const { modelsFile, submissionsDirectory } = workspace
  expect(readRunningModels(workspace, 'weather').problems).toEqual([
    {
      place: `${modelsFile}:4, model 1`,
      cause: `submission_id "trned" names no folder: ${submissionsDirectory}/trned is not there`,
      fix: 'did you mean "trend"? There are flat, trend; correct submission_id, or set desired_state: STOPPED',
    },
  ])
  expect(() => requireRunningModels(workspace, 'weather')).toThrow(`${modelsFile}:4, model 1: submission_id "trned"`)
})

it.each([
  [['other'], /^There is other; correct submission_id, or set desired_state: STOPPED$/],
  [Array.from({ length: 25 }, (_, index) => `m${index + 10}`), /^There are m10, .*, m29 and 5 more; /],
  [[], /^put the submission there, or set desired_state: STOPPED$/],
])('the folders that exist are named: %j', (folders, fix) => {
  const [problem] = readRunningModels(workspaceWith(['persistence'], folders), 'weather').problems
  expect(problem?.fix).toMatch(fix)
})

it('models with a folder have no problem', () => {
  const workspace = workspaceWith(['flat'], ['flat', 'trend'])
  expect(requireRunningModels(workspace, 'weather')).toMatchObject([{ id: '0', name: 'flat' }])
})
