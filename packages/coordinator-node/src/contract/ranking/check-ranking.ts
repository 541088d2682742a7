import { ifAuthorFails } from '../author-code.ts'
import type { AnyContract } from '../crunch-contract.ts'
import type { Finding } from '../finding.ts'
import { sampleValues } from '../sample-values.ts'
import type { RankableModel, WindowScore } from './ranking-options.ts'
import { runAggregate } from './run-aggregate.ts'
import { ranksByContract } from './run-rank.ts'

const sampleCount = 6
const hourMs = 3_600_000

/** Ranks example models by the contract's own functions: one alone, several, equal ones, and some without a value in a window. */
export function checkRanking(contract: AnyContract): Finding[] {
  const { value: field } = contract.leaderboard
  const values = sampleValues(contract.score.schema, sampleCount).flatMap((score) => {
    const value = (score as Readonly<Record<string, unknown>>)[field]
    return typeof value === 'number' && Number.isFinite(value) ? [value] : []
  })
  return [...checkAggregate(contract, values), ...checkRank(contract, values)]
}

function checkAggregate({ leaderboard }: AnyContract, values: readonly number[]): Finding[] {
  const [first] = values
  if (leaderboard.aggregate === undefined || first === undefined) return []
  const single = values.map((value) => [value])
  const windows = [...single, [first, first], values]
  const path = 'leaderboard.aggregate'
  return dryRun(path, 'return a finite number, or null for a window that has too few scores', () => {
    const results = windows.map((window) => {
      const scores = () => window.map(sampleScore)
      const run = () =>
        runAggregate(leaderboard, { scores: scores(), start: 0, end: sampleCount * hourMs }, 'of a dry run')
      const result = run()
      return { result, isSame: Object.is(result, run()) }
    })
    if (results.some(({ isSame }) => !isSame)) return [impure(path, 'another value')]
    const [one] = results
    const isStub =
      new Set(values).size > 2 && one?.result !== null && results.every(({ result }) => result === one?.result)
    if (!isStub) return []
    const cause = `gives ${one?.result} for ${windows.length} different windows: it looks like a stub`
    return [{ path, cause, fix: 'compute the value from scores' }]
  })
}

function sampleScore(value: number, index: number): WindowScore {
  return { value, kind: index % 3 === 2 ? 'imputed' : 'valid', resolvableAt: index * hourMs }
}

function checkRank(contract: AnyContract, values: readonly number[]): Finding[] {
  const { leaderboard } = contract
  const [first = 1] = values
  const several = values.length === 0 ? [3, 1, 2] : values
  const path = 'leaderboard.rank'
  const names = Object.keys(leaderboard.windows)
  const modelOf = (value: number, index: number): RankableModel => {
    const others = names.map((name, window) => [name, (index + window) % 2 === 0 ? value : null] as const)
    const windows = { ...Object.fromEntries(others), [leaderboard.rankBy]: value }
    return { modelId: `model-${index + 1}`, value, windows, coverage: 1 - index / 10 }
  }
  return dryRun(path, 'return the id of each model once, best first, and ids of one rank as a list', () =>
    [[first], several, [first, first, first]]
      .flatMap((sample) => {
        const run = () => JSON.stringify([...(ranksByContract(contract, sample.map(modelOf)) ?? [])])
        const given = run()
        return run() === given ? [] : [impure(path, 'another order')]
      })
      .slice(0, 1),
  )
}

function dryRun(path: string, fix: string, run: () => Finding[]): Finding[] {
  return ifAuthorFails(run, (reason) => {
    const cause = reason.replace(`${path} `, '')
    return [{ path, cause, fix: cause.startsWith('failed') ? throwsFix : fix }]
  })
}

const throwsFix = 'correct that line; it must also work for one model, for equal ones, and for a window without a value'

function impure(path: string, what: string): Finding {
  return {
    path,
    cause: `gives ${what} when it is called again with the same argument`,
    fix: 'use only its argument: no clock, random numbers or stored state',
  }
}
