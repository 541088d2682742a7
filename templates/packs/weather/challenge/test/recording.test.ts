import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  Climatology,
  type ObservedDay,
  Overconfident,
  Persistence,
  type Prediction,
  SevenDayMean,
  scorePrediction,
  Trend,
} from '../src/index.ts'

const file = new URL('../../node/recordings/weather.csv', import.meta.url)
const [header, ...rows] = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(','))

test('the recording has both cities on each day of four years, known at the end of the day', () => {
  expect(header).toEqual(['event_at', 'known_at', 'subject', 'precipitation', 'temp_max', 'temp_min', 'wind'])
  expect(rows.length).toBe(2 * 1_461)
  rows.forEach(([eventAt, knownAt, subject, ...values], index) => {
    const at = Date.UTC(2012, 0, 1 + Math.floor(index / 2))
    expect([eventAt, knownAt, subject].map((text, column) => (column === 2 ? text : Date.parse(text!)))).toEqual([
      at,
      at + 86_400_000,
      index % 2 === 0 ? 'New York' : 'Seattle',
    ])
    expect(values.every((text) => text !== '' && Number.isFinite(Number(text)))).toBe(true)
  })
})

test('on the recording, persistence beats the trend, and the 7-day mean beats the overconfident model', () => {
  const models = {
    persistence: new Persistence(),
    climatology: new Climatology(),
    sevenDayMean: new SevenDayMean(),
    trend: new Trend(),
    overconfident: new Overconfident(),
  }
  const names = Object.keys(models) as (keyof typeof models)[]
  const sums = { persistence: 0, climatology: 0, sevenDayMean: 0, trend: 0, overconfident: 0 }
  const seen = new Map<string, ObservedDay[]>()
  const open = new Map<string, Record<keyof typeof models, Prediction>>()
  let rounds = 0
  for (const [eventAt, , subject, , tempMax] of rows as [string, string, string, string, string][]) {
    const asked = open.get(subject)
    if (asked !== undefined) {
      rounds++
      for (const name of names) sums[name] += scorePrediction(asked[name], Number(tempMax)).crps
    }
    const days = [...(seen.get(subject) ?? []), { date: eventAt.slice(0, 10), tempMax: Number(tempMax) }].slice(-30)
    seen.set(subject, days)
    const answers = names.map((name) => {
      models[name].tick({ subject, days })
      return [name, models[name].predict(subject)] as const
    })
    open.set(subject, Object.fromEntries(answers) as Record<keyof typeof models, Prediction>)
  }
  const mean = (name: keyof typeof models) => sums[name] / rounds
  expect(rounds).toBe(2 * 1_460)
  expect(mean('persistence')).toBeGreaterThan(1.4)
  expect(mean('persistence')).toBeLessThan(2.4)
  expect(mean('persistence')).toBeLessThan(mean('trend'))
  expect(mean('sevenDayMean')).toBeLessThan(mean('overconfident'))
  expect(new Set(names.map(mean)).size).toBe(5)
})
