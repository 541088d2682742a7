// Many gRPC models, each a server with its own port, announced in several lists: the first so many of them.
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
const model = { tick: () => null, predict: () => ({ value: 0.25 }) }

await serveParent(async () => {
  const { counts } = parentInput(z.object({ counts: z.array(z.number()).min(1) }))
  const modelCount = Math.max(...counts)
  requireOpenFiles(filesPerModel * modelCount + otherFiles)
  // The first CPU core is reserved for the coordinator.
  if (cpus().length > 1) bindToProcessors(`1-${cpus().length - 1}`)
  const states: ReturnType<typeof runningState>[] = []
  for (let index = 0; index < modelCount; index += 1) {
    const { port } = await serveObject(model)
    const id = String(index + 1)
    states.push(runningState({ id, name: id, deploymentId: `${id}_1`, cruncherId: id, cruncherName: id }, port))
  }
  const lists = await Promise.all(counts.map((count) => startFakeOrchestrator({ states: states.slice(0, count) })))
  return {
    value: Object.fromEntries(lists.map(({ port }, index) => [`port${counts[index]}`, port])),
    async stop() {
      await Promise.all(lists.map((list) => list.close()))
      process.exit()
    },
  }
})
