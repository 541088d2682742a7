import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contractRecording, loadContract, readSettings } from '@crunch/coordinator-node/internal'
import { type SimulationResult, simulate } from '@crunch/coordinator-node/testing'
import { loadModelClass } from '@crunch/model-runner'
import type { ModelRow, StoredRows } from './stored-rows.ts'

/** Simulates a workspace's competition in this process, and returns rows in the shape of a deployment's. */
export async function simulateRows(
  directory: string,
  recording: string,
): Promise<StoredRows & { readonly digest: string }> {
  const node = join(directory, 'node')
  const contract = await loadContract(join(node, 'contract.ts'), readSettings({}))
  const deployment = join(node, 'deployment/model-orchestrator-local')
  const models = await Promise.all(
    listedModels(await readFile(join(deployment, 'config/models.dev.yml'), 'utf8')).map(async (listed) => {
      const { id, submission, cruncherId } = listed
      const ModelClass = await loadModelClass(join(deployment, 'data/submissions', submission), 'tracker.TrackerBase')
      const identity = { id, name: submission, cruncherId, cruncherName: '' }
      return { identity, model: new ModelClass() }
    }),
  )
  const result = await simulate({ contract, source: contractRecording(contract, [recording]), models })
  // Normalized as by a database: no negative zero, no undefined.
  return JSON.parse(JSON.stringify({ ...storedRows(result), digest: result.digest })) as StoredRows & { digest: string }
}

/** The models of a template's `models.dev.yml`, named after their submissions. */
function listedModels(
  text: string,
): readonly { readonly id: string; readonly submission: string; readonly cruncherId: string }[] {
  const entries = text.matchAll(/- id: "(\w+)"\s+submission_id: (\S+)[\s\S]*?cruncher_id: (\S+)/g)
  return [...entries].map(([, id = '', submission = '', cruncherId = '']) => ({ id, submission, cruncherId }))
}

function storedRows({ rows }: SimulationResult): StoredRows {
  return {
    models: rows.models.map(
      ({ id, name, cruncherId, registeredAt, retirements }): ModelRow => ({
        ...{ id, name, cruncherId, registeredAt, retirements },
      }),
    ),
    inputs: rows.rounds.map(({ scope, horizonMs: _horizon, stepMs: _step, ...round }) => ({
      ...round,
      subject: scope.subject,
    })),
    predictions: rows.predictions.map(({ roundId, durationMs: _duration, ...prediction }) => ({
      ...prediction,
      inputId: roundId,
    })),
    scores: rows.scores.map(({ id, predictionId, kind, value, reason, signal, actual, contractVersion }) => ({
      id,
      predictionId,
      kind,
      value,
      reason,
      signal,
      actual,
      contractVersion,
    })),
    snapshots: rows.snapshots,
    leaderboards: rows.leaderboards.map((leaderboard, index) => {
      const { periodEnd: _end, ...period } = rows.periods[index]!
      return { ...leaderboard, ...period }
    }),
    checkpoints: rows.checkpoints.map(
      ({
        id,
        era,
        periodStart,
        periodEnd,
        status,
        snapshotCount,
        contractVersions,
        entries,
        floor,
        emissionReason,
      }) => ({
        ...{ id, era, periodStart, periodEnd, status, snapshotCount, contractVersions },
        ...{ entries, floor, emissionReason },
      }),
    ),
  }
}
