import { expect, it } from 'vitest'
import { CliError } from '../cli-error.ts'
import type { ModelRow } from '../report-api/report-client.ts'
import { awaitModel } from './await-model.ts'
import type { OrchestratorModel } from './orchestrator-client.ts'

const failure = {
  code: 'BAD_IMPLEMENTATION',
  reason: 'no class',
  deploymentId: 'new',
  submissionId: 'mine-2',
  at: '2026-03-01T00:00:00.000Z',
}
const serving: OrchestratorModel = {
  id: '1',
  name: null,
  cruncherName: null,
  language: 'python',
  desiredState: 'RUNNING',
  status: 'RUNNER_RUNNING',
  statusMessage: null,
  deploymentId: 'new',
  deployedSubmissionId: 'mine-2',
  restarts: 0,
  quarantined: false,
  lastFailure: null,
  confinement: [],
}
const nobody = new CliError({ place: 'x', cause: 'does not answer', fix: 'y' })

/** Successive answers of the orchestrator, the last one repeated; and the deployment that the node calls. */
function waitFor(looks: readonly OrchestratorModel[], called: string | null | CliError) {
  let look = 0
  const rows: ModelRow[] =
    typeof called === 'string' ? [{ model_id: '1', model_name: null, cruncher_name: null, deployment_id: called }] : []
  return awaitModel({
    orchestrator: {
      async models() {
        look += 1
        return [looks[Math.min(look, looks.length) - 1] ?? serving]
      },
    },
    node: {
      async models() {
        if (called instanceof CliError) throw called
        return rows
      },
    },
    id: '1',
    submissionId: 'mine-2',
    past: { deploymentId: 'old', lastFailure: null },
    limitMs: 10_000,
    signal: new AbortController().signal,
  })
}

it('ends when the node calls the model, or when there is no node', async () => {
  expect(await waitFor([serving], 'new')).toMatchObject({ outcome: 'serves', isCalled: true })
  expect(await waitFor([serving], nobody)).toMatchObject({ outcome: 'serves', isCalled: false })
})

it('waits for the node to call a serving model', async () => {
  const refused = { ...serving, status: 'RUNNER_FAILED', lastFailure: failure }
  expect(await waitFor([serving, serving, refused], 'old')).toEqual({ outcome: 'failed', failure })
})

it('distinguishes the replaced run from the new one', async () => {
  const old = { ...serving, deploymentId: 'old' }
  expect(await waitFor([old, { ...old, lastFailure: failure }], 'old')).toEqual({ outcome: 'failed', failure })
})

it('ignores restarts and failures of the old code', async () => {
  const ofOld = { ...failure, deploymentId: 'old-2', submissionId: 'mine' }
  const restarted = { ...serving, deploymentId: 'old-2', deployedSubmissionId: 'mine' }
  const failed = { ...restarted, status: 'RUNNER_INITIALIZING', lastFailure: ofOld }
  const replaced = { ...serving, lastFailure: ofOld }
  expect(await waitFor([restarted, failed, replaced], 'new')).toMatchObject({ outcome: 'serves', model: replaced })
})
