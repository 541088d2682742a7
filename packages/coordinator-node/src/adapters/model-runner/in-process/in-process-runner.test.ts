import { describe, expect, it } from 'vitest'
import type { ModelIdentity } from '../../../domain/model.ts'
import { testModelRunner } from '../../../ports/model-runner.testsuite.ts'
import type { ModelCall } from '../../../ports/model-runner.ts'
import { createInProcessRunner } from './in-process-runner.ts'

testModelRunner('in-process model runner', async (models) => {
  const runner = createInProcessRunner(models)
  return { runner, close: () => runner.close() }
})

describe('the in-process model runner', () => {
  it('refuses two models of the same id', () => {
    const twice = [1, 2].map(() => ({ identity: identityOf('a'), model: {} }))
    expect(() => createInProcessRunner(twice)).toThrow('two models have the id "a"')
  })

  it('counts the answer of a synchronous method however long it took', async () => {
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

  it('makes tens of thousands of dispatches a second', async () => {
    const models = ['a', 'b', 'c'].map((id) => ({ identity: identityOf(id), model: new Sum() }))
    const runner = createInProcessRunner(models)
    const startedAt = performance.now()
    for (let index = 0; index < 50_000; index += 1) {
      const calls: readonly ModelCall[] = [
        { method: 'tick', arguments: [{ type: 'JSON', value: { subject: 'BTCUSDT', close: index } }] },
        {
          method: 'predict',
          arguments: [
            { type: 'STRING', value: 'BTCUSDT' },
            { type: 'INT', value: 60 },
          ],
        },
      ]
      await runner.dispatch(calls, 1_000)
    }
    // Measured at 0.4 s; the bound only catches a change of kind, such as a timer a call.
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})

class Sum {
  #sum = 0

  tick({ close }: { close: number }): void {
    this.#sum += close
  }

  predict(): { value: number } {
    return { value: this.#sum + 0.5 }
  }
}

function identityOf(id: string): ModelIdentity {
  return { id, name: id, deploymentId: `${id}_1`, cruncherId: id, cruncherName: id }
}
