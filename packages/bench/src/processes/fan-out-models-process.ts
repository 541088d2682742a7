// Many gRPC models, each a server with its own port, announced in two lists: all of them, and the first few.
import { cpus } from 'node:os'
import { z } from 'zod'
import { runningState, serveObject, startFakeOrchestrator } from '../engine.ts'
import { requireOpenFiles } from './open-files.ts'
import { parentInput, serveParent } from './parent-link.ts'
import { bindToProcessors } from './processor.ts'

/** Open files per model: its listening socket and its connection. The rest is for Node and the announcements. */
const filesPerModel = 2
const otherFiles = 200

/** A cheap answer, because the cost of calling is measured. */
const model = { predict: () => ({ mean: 11.25, std: 3.5 }) }

await serveParent(async () => {
  const { modelCount, fewCount } = parentInput(z.object({ modelCount: z.number(), fewCount: z.number() }))
  requireOpenFiles(filesPerModel * modelCount + otherFiles)
  // The first CPU core is reserved for the coordinator.
  if (cpus().length > 1) bindToProcessors(`1-${cpus().length - 1}`)
  const states = []
  for (let index = 0; index < modelCount; index += 1) {
    const { port } = await serveObject(model)
    const id = String(index + 1)
    states.push(runningState({ id, name: id, deploymentId: `${id}_1`, cruncherId: id, cruncherName: id }, port))
  }
  const all = await startFakeOrchestrator({ states })
  const few = await startFakeOrchestrator({ states: states.slice(0, fewCount) })
  return {
    value: { allPort: all.port, fewPort: few.port },
    async stop() {
      await Promise.all([all.close(), few.close()])
      process.exit()
    },
  }
})
