import { describe, expect, it } from 'vitest'
import type { ModelActivityRow } from '../report-api/report-client.ts'
import { formatModels } from './format-models.ts'
import type { ModelsState, ModelView } from './models-state.ts'

const activity: ModelActivityRow = {
  model_id: '1',
  model_name: 'momentum',
  counts: { PENDING: 1, SCORED: 96, FAILED: 1, ABSENT: 2 },
  reasons: { timeout: 2, invalid_output: 1 },
  latency_ms: { p50: 4.26, p95: 121.7, max: 300 },
  last_prediction_at: '2026-03-01T10:00:00.000Z',
  last_answer_at: '2026-03-01T10:00:00.000Z',
  last_problem: {
    status: 'ABSENT',
    reason: 'timeout',
    blame: 'model',
    detail: 'no answer within 5 s',
    at: '2026-03-01T09:59:00.000Z',
  },
}

function view(overrides: Partial<ModelView> = {}): ModelView {
  return {
    id: '1',
    name: 'momentum',
    cruncherName: 'ann',
    language: 'python',
    desiredState: 'RUNNING',
    state: 'RUNNING',
    statusMessage: null,
    deploymentId: '1_20260301_100000_000',
    restarts: 0,
    quarantined: false,
    lastFailure: null,
    confinement: [],
    activity,
    retirement: null,
    ...overrides,
  }
}

function stateOf(models: readonly ModelView[], overrides: Partial<ModelsState> = {}): ModelsState {
  const answers = { place: 'x', problem: null }
  return {
    orchestrator: answers,
    node: answers,
    modelsFile: answers,
    models,
    unlistedIds: [],
    retired: [],
    ...overrides,
  }
}

/** The cells of the row that begins with an id. */
function row(text: string, id = '1'): readonly string[] {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`│ ${id} `)) ?? ''
  return line
    .split('│')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

const quiet = { verbose: false, columns: 200 }

const failure = {
  code: 'RUN_FAILED',
  reason: 'exited\nwith 1',
  deploymentId: 'd',
  submissionId: 's',
  at: '2026-03-01T09:00:00.000Z',
}

describe('formatModels', () => {
  it('shows a model in one line', () => {
    const shown = ['1', 'momentum', 'python', 'RUNNING', '0', '3 of 100', '4.3', '122', 'timeout: no answer within 5 s']
    expect(row(formatModels(stateOf([view()]), quiet))).toEqual(shown)
  })

  it('shows why a model does not run, and the newest problem of a running one', () => {
    const last = (overrides: Partial<ModelView>) => row(formatModels(stateOf([view(overrides)]), quiet)).at(-1)
    expect(last({ state: 'QUARANTINED', lastFailure: failure })).toBe('RUN_FAILED: exited with 1')
    expect(last({ lastFailure: failure })).toBe('timeout: no answer within 5 s')
    expect(last({ lastFailure: { ...failure, at: '2026-03-02T00:00:00.000Z' } })).toBe('RUN_FAILED: exited with 1')
    expect(last({ activity: null, lastFailure: failure })).toBe('RUN_FAILED: exited with 1')
    expect(last({ activity: null })).toBe('')
  })

  it('confines a long or hostile text to its cell', () => {
    const reason = `\u001b[2J\u202e${'x'.repeat(500)}`
    const text = formatModels(stateOf([view({ state: 'FAILED', lastFailure: { ...failure, reason } })]), quiet)
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('\u202e')
    expect(row(text).at(-1)).toMatch(/^RUN_FAILED: \\u001b\[2J\\u202ex+…$/)
  })

  it('shortens errors to the available width of the terminal', () => {
    const reason = 'x'.repeat(500)
    const widest = (columns: number) => {
      const text = formatModels(stateOf([view({ state: 'FAILED', lastFailure: { ...failure, reason } })]), {
        ...quiet,
        columns,
      })
      return Math.max(...text.split('\n').map((line) => line.length))
    }
    expect(widest(140)).toBe(140)
    expect(widest(1_000)).toBeLessThan(230)
  })

  it('shows complete errors on request', () => {
    const text = formatModels(stateOf([view({ lastFailure: failure })]), { ...quiet, verbose: true })
    expect(text).toContain('last failed run, 2026-03-01T09:00:00.000Z: RUN_FAILED: exited\n    with 1')
    expect(text).toContain(
      'last missing answer, 2026-03-01T09:59:00.000Z: ABSENT timeout, blame model: no answer within',
    )
    expect(text).toContain('missing answers of the last day: timeout 2, invalid_output 1')
  })

  it('shows a common confinement once', () => {
    const confined = (id: string, confinement: readonly string[]) => view({ id, confinement })
    const same = stateOf([
      confined('1', ['memory 512 MiB', 'no network']),
      confined('2', ['memory 512 MiB', 'no network']),
    ])
    expect(formatModels(same, quiet)).toMatch(/^confinement: memory 512 MiB; no network$/m)
    const mixed = stateOf([
      confined('1', ['no network']),
      confined('2', ['network open']),
      confined('3', ['no network']),
    ])
    expect(formatModels(mixed, quiet)).toMatch(/^confinement of 1, 3: no network\nconfinement of 2: network open$/m)
  })

  it('names services that did not answer, and shows the desired state', () => {
    const problem = 'http://127.0.0.1:8001/models: does not answer\n  fix: crunch deploy'
    const down = { orchestrator: { place: 'x', problem }, node: { place: 'y', problem } }
    const text = formatModels(stateOf([view({ state: null, restarts: null, activity: null })], down), quiet)
    expect(text).toContain('The model orchestrator does not answer; the states are those of the models file.')
    expect(text).toContain('The node does not answer, so failures and latency are unknown.')
    expect(row(text)).toEqual(['1', 'momentum', 'python', 'desired: RUNNING', '', '', '', '', ''])
  })

  it('suggests a command if there are no models, and lists models that are no longer in the file', () => {
    expect(formatModels(stateOf([]), quiet)).toContain('crunch models add DIRECTORY')
    expect(formatModels(stateOf([view()], { unlistedIds: ['7', '9'] }), quiet)).toContain('absent in every round: 7, 9')
  })
})
