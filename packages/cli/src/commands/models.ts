import { findModel, type NamedModel } from '../models/find-model.ts'
import { formatModels } from '../models/format-models.ts'
import { listedModels, loggedModels, requireModelsHere } from '../models/local-models.ts'
import { readModelsState } from '../models/models-state.ts'
import { openModels } from '../models/open-models.ts'
import type { OpenedModels } from '../models/opened-models.ts'
import { formatRunLine, readRunLog } from '../models/run-logs.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { modelLogsDirectory } from '../workspace.ts'

/** Lists models with state, failures, latency and last error. If the orchestrator or the node does not answer, says so. */
export async function models(
  options: { readonly json: boolean; readonly verbose: boolean },
  terminal: Terminal,
): Promise<void> {
  const { workspace, settings, orchestrator, node } = await openModels(terminal)
  const state = await readModelsState({ workspace, settings, orchestrator, node })
  const columns = terminal.isInteractive ? terminal.size().columns : Number.POSITIVE_INFINITY
  terminal.out(options.json ? JSON.stringify(state) : formatModels(state, { verbose: options.verbose, columns }))
}

/** Prints the log of a model's newest run, even if nothing is deployed; with `follow`, prints new lines until Ctrl-C. */
export async function modelLogs(
  options: { readonly model: string; readonly follow: boolean; readonly lines: number; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const opened = await openModels(terminal)
  requireModelsHere(opened)
  const { id: modelId } = findModel(knownModels(opened), options.model, opened.workspace.modelsFile)
  const { follow, lines } = options
  const logsDirectory = modelLogsDirectory(opened.workspace)
  let shownRun: string | undefined
  for await (const line of readRunLog({ logsDirectory, modelId, lines, follow, signal: terminal.signal })) {
    if (options.json) terminal.out(JSON.stringify(line))
    else {
      if (line.deploymentId !== shownRun) terminal.out(`run ${line.deploymentId}`)
      terminal.out(formatRunLine(line))
    }
    shownRun = line.deploymentId
  }
}

/** Finds a model in the models file, or, if it is no longer listed, by its logs. */
function knownModels(opened: OpenedModels): readonly NamedModel[] {
  const listed = listedModels(opened)
  const ids = new Set(listed.map(({ id }) => id))
  return [...listed, ...loggedModels(opened.workspace).filter(({ id }) => !ids.has(id))]
}
