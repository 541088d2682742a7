import { silentLog } from '../../../ports/log.ts'
import { testModelRunner } from '../../../ports/model-runner.testsuite.ts'
import { connectModelRunner } from './connect-model-runner.ts'
import { runningState, startFakeOrchestrator } from './testing/fake-orchestrator.ts'
import { serveObject } from './testing/object-server.ts'

testModelRunner('gRPC model runner', async (models) => {
  const servers = await Promise.all(models.map(({ model }) => serveObject(model)))
  const orchestrator = await startFakeOrchestrator({
    states: models.map(({ identity }, index) => runningState(identity, servers[index]!.port)),
  })
  const runner = await connectModelRunner({
    host: '127.0.0.1',
    port: orchestrator.port,
    crunchId: 'suite',
    baseClassName: 'tracker.TrackerBase',
    log: silentLog,
  })
  await runner.settled()
  return {
    runner,
    async close() {
      await runner.close()
      await orchestrator.close()
      for (const server of servers) server.crash()
    },
  }
})
