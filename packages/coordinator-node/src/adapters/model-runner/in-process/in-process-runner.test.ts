import { describe, expect, it } from 'vitest'
import type { ModelIdentity } from '../../../domain/models/model.ts'
import { testModelRunner } from '../../../ports/model-runner.testsuite.ts'
import { createInProcessRunner } from './in-process-runner.ts'

testModelRunner('in-process model runner', async (models) => {
  const runner = createInProcessRunner(models)
  return { runner, close: () => runner.close() }
})

describe('the in-process model runner', () => {
  it('refuses two models with the same id', () => {
    const twice = [1, 2].map(() => ({ identity: identityOf('a'), model: {} }))
    expect(() => createInProcessRunner(twice)).toThrow('two models have the id "a"')
  })

  it('accepts the answer of a synchronous method regardless of its duration', async () => {
    const model = {
      spin() {
        const until = performance.now() + 20
        while (performance.now() < until);
        return 'done'
      },
    }
    const runner = createInProcessRunner([{ identity: identityOf('a'), model }])
    const [only] = await runner.dispatch([{ method: 'spin', arguments: [] }], 1)
    expect(only!.answers).toMatchObject([{ status: 'answered', output: 'done' }])
  })
})

function identityOf(id: string): ModelIdentity {
  return { id, name: id, deploymentId: `${id}_1`, cruncherId: id, cruncherName: id }
}
