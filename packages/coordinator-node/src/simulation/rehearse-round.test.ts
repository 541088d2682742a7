import { describe, expect, test } from 'vitest'
import { candles } from '../../test/competition.ts'
import { type ContractChanges, changedContract } from '../../test/sample-contract.ts'
import { sourceOf } from '../../test/source-of-records.ts'
import { createInProcessRunner } from '../adapters/model-runner/in-process/in-process-runner.ts'
import { minute, model } from '../ports/store-samples.ts'
import { rehearseRound } from './rehearse-round.ts'

async function rehearse(changes: ContractChanges = {}, count = 60) {
  const runner = createInProcessRunner([{ identity: model('a'), model: { predict: () => ({ value: 0.5 }) } }])
  const { signal } = new AbortController()
  const source = sourceOf(candles(0, count))
  const rehearsal = await rehearseRound({ contract: changedContract(changes), source, runner, signal })
  await runner.close()
  return rehearsal
}

describe('the rehearsal of a round', () => {
  test('asks the model once, and scores its answer by the records behind the round', async () => {
    const rehearsal = await rehearse()
    expect(rehearsal).toMatchObject({
      at: minute(11),
      recorded: [{ prediction: { status: 'PENDING' } }],
      verdict: {
        scored: [{ round: { performedAt: minute(11) }, score: { kind: 'valid', modelId: 'a' } }],
        ...{ refusal: null, unscoredReason: null },
      },
    })
    expect(rehearsal?.calls.filter(({ call }) => call.method === 'predict')).toHaveLength(1)
  })

  test('says that the recording ends before the truth', async () => {
    const unscoredReason = 'the recording ends before the horizon of the round'
    expect((await rehearse({}, 12))?.verdict).toEqual({ scored: [], refusal: null, unscoredReason })
    expect((await rehearse({}, 10))?.verdict).toBeNull()
  })

  const refuse = () => {
    throw new Error('no such field')
  }
  test.each<[string, ContractChanges]>([
    ['truth.resolve', { truth: { resolve: refuse, expire: '2h' } }],
    ['score.compute', { score: { compute: refuse } }],
  ])('says where %s fails', async (path, changes) => {
    const place = `^${path.replace('.', '\\.')} failed at simulation/rehearse-round\\.test\\.ts:\\d+: no such field$`
    expect((await rehearse(changes))?.verdict?.refusal).toMatch(new RegExp(place))
  })
})
