import { beforeEach, expect, test } from 'vitest'
import * as challenge from '../src/index.ts'
import { pythonAnswers, runPythonTests, whyNoPython } from './python.ts'
import { rounds } from './rounds.ts'

const reason = whyNoPython()
if (reason !== undefined) console.warn(`The tests of python/ are skipped: ${reason}`)
beforeEach((context) => context.skip(reason !== undefined, reason))

type ModelClass = new () => challenge.TrackerBase

/** `MeanReversion` is the Python example `mean-reversion`. */
function exampleClasses(): [string, ModelClass][] {
  return Object.entries(challenge)
    .filter((entry): entry is [string, ModelClass] => {
      const [, value] = entry
      return typeof value === 'function' && value.prototype instanceof challenge.TrackerBase
    })
    .map(([name, Model]) => [name.replaceAll(/\B[A-Z]/g, '-$&').toLowerCase(), Model])
}

/** Expects the same structure, with numbers that differ by at most 1e-9. */
function expectClose(actual: unknown, expected: unknown, place: string): void {
  if (typeof actual === 'number' && typeof expected === 'number') {
    const distance = Math.abs(actual - expected)
    // Explicit, because a comparison alone would accept NaN.
    if (!(distance <= 1e-9 * Math.max(1, Math.abs(expected)))) expect(actual, place).toBe(expected)
  } else if (typeof actual === 'object' && typeof expected === 'object' && actual !== null && expected !== null) {
    expect(Object.keys(actual).sort(), place).toEqual(Object.keys(expected).sort())
    for (const [key, value] of Object.entries(actual)) {
      expectClose(value, (expected as Record<string, unknown>)[key], `${place}.${key}`)
    }
  } else {
    expect(actual, place).toBe(expected)
  }
}

test('the Python package passes its own tests', { timeout: 60_000 }, () => {
  expect(runPythonTests()).toMatch(/Ran [1-9]\d* tests.*\n\nOK$/)
})

test('the Python examples give the same answers and scores as the TypeScript ones', { timeout: 60_000 }, () => {
  const answers = pythonAnswers(rounds)
  const examples = exampleClasses()
  expect(Object.keys(answers).sort()).toEqual(examples.map(([name]) => name).sort())
  expect(rounds.length).toBeGreaterThan(1_000)
  for (const [name, Model] of examples) {
    const model = new Model()
    rounds.forEach(({ tick, truth }, index) => {
      model.tick(tick)
      const prediction = model.predict(tick.subject, 300, 60)
      expectClose(
        answers[name]?.[index],
        [prediction, challenge.scorePrediction(prediction, truth)],
        `${name} ${index}`,
      )
    })
  }
})
