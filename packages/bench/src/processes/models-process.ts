// The model orchestrator with the example submissions of the node template, each in its own process.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '@crunch/coordinator-node/workers'
import { startOrchestrator } from '@crunch/model-orchestrator'
import { z } from 'zod'
import realtime from '../../../../templates/node/contract.ts'
import { parentInput, serveParent } from './parent-link.ts'

const submissionsDirectory = fileURLToPath(
  new URL('../../../../templates/node/deployment/model-orchestrator-local/data/submissions', import.meta.url),
)
const submissions = ['momentum', 'mean-reversion', 'volatility-scaled', 'coin', 'flat']

await serveParent(async () => {
  const { modelCount } = parentInput(z.object({ modelCount: z.number() }))
  const directory = await mkdtemp(join(tmpdir(), 'crunch-bench-'))
  const modelsFile = join(directory, 'models.dev.yml')
  const models = Array.from({ length: modelCount }, (_, index) => ({
    id: String(index + 1),
    submission_id: submissions[index % submissions.length],
    crunch_id: realtime.name,
    desired_state: 'RUNNING',
  }))
  // JSON is valid YAML.
  await writeFile(modelsFile, JSON.stringify({ models }))
  const orchestrator = await startOrchestrator({
    crunchId: realtime.name,
    modelsFile,
    submissionsDirectory,
    baseClassName: 'tracker.TrackerBase',
    log: createLog({ LOG_LEVEL: 'warn', LOG_FORMAT: 'json' }) as Parameters<typeof startOrchestrator>[0]['log'],
    port: 0,
  })
  await orchestrator.settled()
  return {
    value: { port: orchestrator.port },
    async stop() {
      await orchestrator.close()
      await rm(directory, { recursive: true, force: true })
      // The template is published as it is, without the ids that the orchestrator has used.
      await rm(join(submissionsDirectory, '.model-ids.json'), { force: true })
    },
  }
})
