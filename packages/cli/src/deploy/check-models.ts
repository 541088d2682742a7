import { isExpectedError } from '@crunch/local-processes/errors'
import { inspectSubmission } from '@crunch/model-orchestrator'
import { type CliProblem, describeError } from '../cli-error.ts'
import { type AnyContract, nameRefusal } from '../engine.ts'
import { readRunningModels } from '../models-file.ts'
import type { NodeSettings } from '../node-settings.ts'
import type { Environment } from '../read-environment.ts'
import type { Workspace } from '../workspace.ts'
import { pythonProblem } from './check-python.ts'

/** Problems of individual models that can be found without starting them. */
export async function modelProblems(
  workspace: Workspace,
  settings: NodeSettings,
  contract: AnyContract | undefined,
  environment: Environment,
): Promise<readonly CliProblem[]> {
  const { running, problems } = readRunningModels(workspace, settings.crunchId)
  if (running.length === 0) {
    const cause = 'no entry of this competition has desired_state: RUNNING'
    const fix = `add one with: crunch models add DIRECTORY, or an entry with desired_state: RUNNING and crunch_id: ${settings.crunchId}`
    return [{ place: workspace.modelsFile, cause, fix }]
  }
  const refused = running.flatMap((model) => {
    const cause = contract === undefined ? null : nameRefusal(contract, settings.organizerId, model)
    const fix = `give it another model_name, or write cruncher_id: ${settings.organizerId} if it is the organizer's`
    return cause === null ? [] : [{ place: model.place, cause, fix }]
  })
  const withoutFolder = new Set(problems.map(({ place }) => place))
  const inspected = await Promise.all(
    running.filter(({ place }) => !withoutFolder.has(place)).map(({ place, directory }) => inspect(place, directory)),
  )
  const needsPython = inspected.some(({ language }) => language === 'python' || language === 'notebook')
  const python = needsPython ? await pythonProblem(settings.pythonProgram, environment) : undefined
  return [
    ...problems,
    ...refused,
    ...inspected.flatMap(({ problem }) => problem ?? []),
    ...(python === undefined ? [] : [python]),
  ]
}

async function inspect(
  place: string,
  directory: string,
): Promise<{ readonly language?: string; readonly problem?: CliProblem }> {
  try {
    return { language: (await inspectSubmission(directory)).language }
  } catch (error) {
    if (!isExpectedError(error)) throw error
    const cause = describeError(error, false)
    return { problem: { place, cause, fix: 'correct the submission, or set desired_state: STOPPED' } }
  }
}
