// The model orchestrator of the hostile run, in its own process so that its memory can be measured. It writes the status of
// its models into a file several times a second.
import { rename, writeFile } from 'node:fs/promises'
import { createLog } from '@crunch/coordinator-node/workers'
import { giveWay } from '@crunch/model-orchestrator'
import { z } from 'zod'
import { openHostileSite } from '../hostile/hostile-site.ts'
import type { HostileStatus } from '../hostile/hostile-status.ts'
import { parentInput, serveParent } from './parent-link.ts'

const everyMs = 200

await serveParent(async () => {
  giveWay()
  const { goodCount } = parentInput(z.object({ goodCount: z.number() }))
  // Events of models are expected here and not logged.
  const log = createLog({ LOG_LEVEL: 'fatal', LOG_FORMAT: 'json' }) as Parameters<typeof openHostileSite>[1]
  const { orchestrator, folder, close } = await openHostileSite(goodCount, log)
  const statusFile = `${folder.modelsFile}.status`
  const quarantinedAt = new Map<string, number>()
  async function sendState(): Promise<void> {
    const models = orchestrator.models()
    for (const { id, quarantined } of models) {
      if (quarantined && !quarantinedAt.has(id)) quarantinedAt.set(id, Date.now())
    }
    const status: HostileStatus = {
      peakMemoryMb: process.resourceUsage().maxRSS / 1_000,
      models: models.map(({ id, lastFailure }) => ({
        id,
        quarantinedAt: quarantinedAt.get(id) ?? null,
        failure: lastFailure === null ? '' : `${lastFailure.code}: ${lastFailure.reason}`,
      })),
    }
    await writeFile(`${statusFile}.new`, JSON.stringify(status))
    await rename(`${statusFile}.new`, statusFile)
  }
  await sendState()
  let sending = Promise.resolve()
  const timer = setInterval(() => {
    sending = sending.then(sendState)
  }, everyMs)
  return {
    value: { port: orchestrator.port, ...folder, statusFile },
    async stop() {
      clearInterval(timer)
      await sending
      await close()
    },
  }
})
