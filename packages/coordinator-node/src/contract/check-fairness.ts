import { nameKey } from '../domain/models/model-role.ts'
import { nearestName } from '../domain/nearest-name.ts'
import type { AnyContract } from './crunch-contract.ts'
import type { Finding } from './finding.ts'

/** Checks that baselines have distinct names, that the floor names one of them, and that every option has an effect. */
export function checkFairness(contract: AnyContract): Finding[] {
  return [...checkBaselines(contract), ...checkFloor(contract), ...checkNewcomers(contract)]
}

function checkBaselines({ baselines = [] }: AnyContract): Finding[] {
  const keys = baselines.map(nameKey)
  return keys.flatMap((key, index) => {
    const path = `baselines[${index}]`
    if (key === '') return [{ path, cause: 'has no visible character', fix: 'write the name of a model' }]
    if (keys.indexOf(key) === index) return []
    const cause = `"${baselines[index]}" looks like "${baselines[keys.indexOf(key)]}", which is listed already`
    return [{ path, cause, fix: 'remove one of the two' }]
  })
}

function checkFloor({ baselines = [], checkpoint }: AnyContract): Finding[] {
  const name = checkpoint.emission.payAbove?.baseline
  if (name === undefined || baselines.some((baseline) => nameKey(baseline) === nameKey(name))) return []
  const nearest = nearestName(name, baselines)
  return [
    {
      path: 'checkpoint.emission.payAbove.baseline',
      cause: `"${name}" is not a baseline of the contract`,
      fix: nearest === undefined ? `add baselines: ['${name}']` : `did you mean "${nearest}"?`,
    },
  ]
}

function checkNewcomers({ leaderboard }: AnyContract): Finding[] {
  const { newcomers = 'wait', minCoverage } = leaderboard
  if (minCoverage === undefined || newcomers === 'wait') return []
  return [
    {
      path: 'leaderboard.minCoverage',
      cause: `has no effect with newcomers: '${newcomers}'`,
      fix: "remove it, or write newcomers: 'wait'",
    },
  ]
}
