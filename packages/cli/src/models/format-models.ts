import { printable } from '@crunch/local-processes'
import { formatTable } from '../tables.ts'
import { oneLine } from '../terminal/printable.ts'
import type { ModelsState, ModelView } from './models-state.ts'

/** Cells are short, so that each row fits on a line; `--verbose` shows the full text. */
const maxNameLength = 32
const minErrorLength = 40
const maxErrorLength = 120

/** The table of models, their confinement, and which services did not answer. */
export function formatModels(
  state: ModelsState,
  { verbose, columns }: { readonly verbose: boolean; readonly columns: number },
): string {
  const { models } = state
  return [
    ...sourceNotes(state),
    models.length === 0 ? noModelsText(state) : modelsTable(models, columns),
    ...confinementNotes(models),
    ...(verbose ? models.flatMap(lastErrors) : []),
    ...retirementNotes(state),
    ...unlistedNote(state),
  ].join('\n')
}

function noModelsText({ orchestrator, modelsFile }: ModelsState): string {
  if (modelsFile !== null) return 'There are no models. Add one with: crunch models add DIRECTORY'
  return orchestrator.problem === null
    ? `The orchestrator at ${orchestrator.place} runs no models of this competition.`
    : ''
}

function sourceNotes({ orchestrator, node, modelsFile }: ModelsState): readonly string[] {
  const instead = modelsFile === null ? '' : '; the states are those of the models file'
  return [
    ...(orchestrator.problem === null
      ? []
      : [`The model orchestrator does not answer${instead}.\n  ${orchestrator.problem}`]),
    ...(node.problem === null
      ? []
      : [`The node does not answer, so failures and latency are unknown.\n  ${node.problem}`]),
    ...(modelsFile === null || modelsFile.problem === null
      ? []
      : [`The models file cannot be read.\n  ${modelsFile.problem}`]),
  ]
}

function modelsTable(models: readonly ModelView[], columns: number): string {
  const head = ['id', 'name', 'language', 'state', 'restarts', 'failures', 'p50 ms', 'p95 ms']
  const rows = models.map((model) => [
    model.id,
    oneLine(model.name, maxNameLength),
    model.language ?? '?',
    model.state ?? `desired: ${model.desiredState ?? '?'}`,
    model.restarts === null ? '' : String(model.restarts),
    formatFailures(model),
    formatMs(model.activity?.latency_ms?.p50),
    formatMs(model.activity?.latency_ms?.p95),
  ])
  const usedLength = formatTable(head, rows).split('\n')[0]?.length ?? 0
  // Each cell adds a space on both sides and a border.
  const errorLength = Math.max(minErrorLength, Math.min(maxErrorLength, columns - usedLength - 3))
  const errors = models.map((model) => oneLine(lastError(model) ?? '', errorLength))
  return formatTable(
    [...head, 'last error'],
    rows.map((row, index) => [...row, errors[index] ?? '']),
  )
}

function formatFailures({ activity }: ModelView): string {
  if (activity === null) return ''
  const { PENDING, SCORED, FAILED, ABSENT } = activity.counts
  const missing = FAILED + ABSENT
  const all = missing + PENDING + SCORED
  return all === 0 ? '' : `${missing} of ${all}`
}

function formatMs(durationMs: number | undefined): string {
  if (durationMs === undefined) return ''
  return durationMs < 10 ? durationMs.toFixed(1) : String(Math.round(durationMs))
}

/** The most important problem: why the model does not run, or else its newest failure. */
function lastError(model: ModelView): string | null {
  const { lastFailure } = model
  const problem = model.activity?.last_problem ?? null
  const ofRun = lastFailure && `${lastFailure.code}: ${lastFailure.reason}`
  const ofAnswer = problem && `${problem.reason}${problem.detail === null ? '' : `: ${problem.detail}`}`
  if (model.state !== 'RUNNING' || problem === null) return ofRun ?? model.statusMessage ?? ofAnswer
  return lastFailure !== null && lastFailure.at > problem.at ? ofRun : ofAnswer
}

/** All failures of a model, with full text. */
function lastErrors({ id, name, lastFailure, activity }: ModelView): readonly string[] {
  const problem = activity?.last_problem ?? null
  const reasons = Object.entries(activity?.reasons ?? {}).map(([reason, count]) => `${printable(reason)} ${count}`)
  const lines = [
    ...(lastFailure === null
      ? []
      : [`last failed run, ${lastFailure.at}: ${lastFailure.code}: ${indented(lastFailure.reason)}`]),
    ...(problem === null
      ? []
      : [
          `last missing answer, ${problem.at}: ${problem.status} ${problem.reason}, blame ${problem.blame ?? 'none'}: ${indented(problem.detail ?? 'no detail')}`,
        ]),
    ...(reasons.length === 0 ? [] : [`missing answers of the last day: ${reasons.join(', ')}`]),
  ]
  return lines.length === 0 ? [] : [`${id} ${oneLine(name, maxNameLength)}`, ...lines.map((line) => `  ${line}`)]
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line.trimEnd()))
    .join('\n    ')
}

/** One line per confinement, with the models that it applies to. */
function confinementNotes(models: readonly ModelView[]): readonly string[] {
  const groups = new Map<string, string[]>()
  for (const { id, confinement } of models) {
    if (confinement.length === 0) continue
    const text = confinement.map((part) => oneLine(part, 200)).join('; ')
    groups.set(text, [...(groups.get(text) ?? []), id])
  }
  const [only] = groups
  if (only !== undefined && groups.size === 1) return [`confinement: ${only[0]}`]
  return [...groups].map(([text, ids]) => `confinement of ${ids.join(', ')}: ${text}`)
}

/** Models without rows, with the reason. */
function retirementNotes({ models, retired }: ModelsState): readonly string[] {
  const listed = models.flatMap(({ id, retirement }) => (retirement === null ? [] : [{ id, ...retirement }]))
  return [...listed, ...retired].map(
    ({ id, since, reason }) =>
      `retired: ${oneLine(id, maxNameLength)} has no rows since ${since}: ${printable(reason)}`,
  )
}

function unlistedNote({ unlistedIds }: ModelsState): readonly string[] {
  if (unlistedIds.length === 0) return []
  return [
    `no longer listed, and absent in every round: ${unlistedIds.map((id) => oneLine(id, maxNameLength)).join(', ')}`,
  ]
}
