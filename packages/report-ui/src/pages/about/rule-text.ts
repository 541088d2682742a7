import type { AnswerOf } from '@crunch/coordinator-node/client'
import { percent, shortNumber } from '../../format/numbers.ts'

export type Rules = AnswerOf<'get', '/reports/competition'>
type Gate = NonNullable<Rules['feeds'][number]['gate']>

/** A length of time of the contract, exact: `90` → `1 min 30 s`. */
export function span(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
    ['ms', 0.001],
  ] as const
  let rest = Math.round(seconds * 1_000)
  const parts = units.flatMap(([name, length]) => {
    const unitMs = length * 1_000
    const count = Math.floor(rest / unitMs)
    rest -= count * unitMs
    return count === 0 ? [] : [`${count} ${name}`]
  })
  return parts.length === 0 ? '0 s' : parts.join(' ')
}

export const missingRules: Readonly<Record<Rules['question']['missing'], string>> = {
  worst: 'A missing or invalid answer scores as the worst valid answer of its round.',
  exclude: 'A missing or invalid answer has no score. It still counts against the coverage.',
  own: "A missing or invalid answer is scored by the contract's own function.",
}

export const revealRules: Readonly<Record<Rules['question']['reveal'], string>> = {
  'with truth':
    'Answers are public once the truth of their round is known. Until then their owner and the organizer see them.',
  'at once': 'Answers are public as soon as they are given.',
}

/** How a model that joined within the ranking window is treated. */
export function newcomerRule({ newcomers, min_coverage }: Rules['ranking']): string {
  if (newcomers === 'wait') {
    return `A newcomer has no rank until it has answered ${percent(min_coverage)} of the rounds of the ranking window.`
  }
  return newcomers === 'worst'
    ? 'Each round before a newcomer joined counts for it as the worst valid score of that round.'
    : 'Rounds before a newcomer joined do not count for it.'
}

/** How a payout is divided among the models that are paid. */
export function emissionRule({ name, parameters }: Rules['pay']['emission'], direction: 'asc' | 'desc'): string {
  if (name === 'tiers' && Array.isArray(parameters?.percentages)) {
    return `By place: ${tierText(parameters.percentages.map(Number))}. Shares without a model are divided equally among all paid models.`
  }
  if (name === 'proportional') {
    const zero =
      typeof parameters?.zeroAt === 'number' ? shortNumber(parameters.zeroAt) : 'the floor, or than 0 without one'
    return `In proportion to how much better a value is than ${zero}. If none is better, equally.`
  }
  if (name === 'softmax') {
    const temperature = typeof parameters?.temperature === 'number' ? parameters.temperature : 1
    const lead = `${shortNumber(temperature)} ${direction === 'desc' ? 'above' : 'below'}`
    return `By how far values are apart: a value ${lead} another one gets 2.718 times its share.`
  }
  return `By the contract's own rule, named ${name}.`
}

/** `35 %, 4 × 10 %, 5 × 5 %` */
function tierText(percentages: readonly number[]): string {
  const runs: { readonly value: number; count: number }[] = []
  for (const value of percentages) {
    const last = runs.at(-1)
    if (last?.value === value) last.count += 1
    else runs.push({ value, count: 1 })
  }
  return runs.map(({ value, count }) => `${count === 1 ? '' : `${count} × `}${shortNumber(value)} %`).join(', ')
}

/** What a paid value has to be better than; null: nothing. */
export function floorRule(floor: Rules['pay']['floor']): string | null {
  if (floor === null) return null
  const what =
    floor.baseline === null ? shortNumber(floor.value) : `the baseline “${floor.baseline}” in the same period`
  return `its value is strictly better than ${floor.baseline === null ? what : `that of ${what}`}`
}

/** When a series is not trusted, besides when it is silent. */
export function gateRules(gate: Gate | null): readonly string[] {
  if (gate === null) return []
  const { frozen_after, max_jump, agree } = gate
  return [
    ...(frozen_after === null ? [] : [`${frozen_after} records in a row are the same`]),
    ...(max_jump === null
      ? []
      : [`${max_jump.field} jumps by more than ${share(max_jump.limit)} from one record to the next`]),
    ...(agree === null ? [] : [`${agree.field} differs from ${agree.with} by more than ${share(agree.within)}`]),
  ]
}

/** `0.005` → `0.5 %`, with all digits of the contract. */
function share(part: number): string {
  return `${Number((part * 100).toPrecision(12))} %`
}
