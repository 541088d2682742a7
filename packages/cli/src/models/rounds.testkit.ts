import { createVirtualClock } from '../../../coordinator-node/src/adapters/clock/clocks.ts'
import { connectModelRunner } from '../../../coordinator-node/src/adapters/model-runner/grpc/index.ts'
import { createMemoryStore } from '../../../coordinator-node/src/adapters/store/memory/memory-store.ts'
import { createPipeline } from '../../../coordinator-node/src/pipeline.ts'
import { silentLog } from '../../../coordinator-node/src/ports/log.ts'
import { candle } from '../../../coordinator-node/src/ports/store-samples.ts'
import { driveBatch } from '../../../coordinator-node/src/recording/drive-recording.ts'
import { type ContractChanges, changedContract } from '../../../coordinator-node/test/sample-contract.ts'
import { KEY } from '../../../model-orchestrator/test/workspace.ts'

/** Rounds of a sample competition, with the models of the orchestrator at `port`. */
export async function openRounds(port: number, changes: ContractChanges = {}) {
  const runner = await connectModelRunner({
    host: '127.0.0.1',
    port,
    crunchId: 'weather',
    baseClassName: 'tracker.TrackerBase',
    orchestratorKey: () => KEY,
    log: silentLog,
  })
  await runner.settled()
  const [store, clock] = [createMemoryStore(), createVirtualClock()]
  // Long, so that models are not late on a busy machine.
  const pipeline = createPipeline(changedContract({ prediction: { timeout: '20s' }, ...changes }), {
    store,
    clock,
    log: silentLog,
  })
  const clockRounds = await pipeline.openPredictor(runner)
  let count = 0
  /** Runs one round and returns its rows as "id status reason". */
  async function round(): Promise<readonly string[]> {
    await driveBatch(pipeline, clockRounds, clock, [candle(count, { close: 100 + count })])
    count += 1
    const last = store.dump().rounds.at(-1)
    const rows = store.dump().predictions.filter(({ roundId }) => roundId === last?.id)
    return rows.map(({ modelId, status, reason }) => `${modelId} ${status} ${reason}`)
  }
  const connected = (ids: string) => () =>
    runner
      .models()
      .map(({ id }) => id)
      .join() === ids
  return { runner, store, round, connected, close: () => runner.close() }
}
