import { describe, expect, test } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { roundContext } from '../../contract/resolved-contract.ts'
import { minute, round } from '../../ports/store-samples.ts'
import { predictCall, tickCalls } from './round-calls.ts'

const input = { subject: 'BTCUSDT', closes: [1] }
const calling = (call: object) => changedContract({ prediction: { call } })

describe('the calls of a round', () => {
  test('are tick(input) and predict(subject, horizon, step) in seconds', () => {
    expect(tickCalls(calling({}), input)).toEqual([{ method: 'tick', arguments: [{ type: 'JSON', value: input }] }])
    expect(predictCall(changedContract({}), round(0))).toEqual({
      method: 'predict',
      arguments: [
        { type: 'STRING', value: 'BTCUSDT' },
        { type: 'INT', value: 300 },
        { type: 'INT', value: 60 },
      ],
    })
  })

  test('use whole seconds even for a fractional horizon', () => {
    const { arguments: values } = predictCall(changedContract({}), round(0, { horizonMs: 1_500, stepMs: 400 }))
    expect(values.slice(1)).toEqual([
      { type: 'INT', value: 2 },
      { type: 'INT', value: 0 },
    ])
  })

  test('have the names and arguments of the contract', () => {
    const contract = calling({
      tick: 'observe',
      predict: 'forecast',
      arguments: (context: { subject: string }) => [{ type: 'JSON', value: context }],
    })
    expect(tickCalls(contract, input)[0]?.method).toBe('observe')
    expect(predictCall(contract, round(0))).toEqual({
      method: 'forecast',
      arguments: [{ type: 'JSON', value: roundContext(round(0)) }],
    })
  })

  test('support texts, integers, doubles and JSON', () => {
    const all = [
      { type: 'STRING', value: 'BTC' },
      { type: 'INT', value: 5 },
      { type: 'DOUBLE', value: 0.5 },
      { type: 'JSON', value: null },
    ]
    expect(predictCall(calling({ arguments: () => all }), round(0)).arguments).toEqual(all)
  })

  test('refuse arguments that cannot be sent, naming their place', () => {
    const given = (value: unknown) => predictCall(calling({ arguments: () => value }), round(0))
    expect(() => given('BTC')).toThrow('prediction.call.arguments did not return a list')
    expect(() => given([{ type: 'INT', value: 1.5 }])).toThrow('prediction.call.arguments[0] is no INT: 1.5')
    expect(() =>
      given([
        { type: 'STRING', value: 'a' },
        { type: 'DOUBLE', value: Number.NaN },
      ]),
    ).toThrow('arguments[1] is no DOUBLE')
    expect(() => given([{ type: 'JSON', value: { at: Number.NaN } }])).toThrow('prediction.call.arguments[0].at is NaN')
  })

  test('omit tick if the contract disables it', () => {
    expect(tickCalls(calling({ tick: false }), input)).toEqual([])
  })
})

test('a contract sees the question of a round, but not its answers', () => {
  expect(roundContext(round(0))).toEqual({
    scheduleKey: 'BTCUSDT-5m',
    subject: 'BTCUSDT',
    performedAt: minute(0),
    resolvableAt: minute(5),
    horizonMs: 300_000,
    stepMs: 60_000,
  })
})
