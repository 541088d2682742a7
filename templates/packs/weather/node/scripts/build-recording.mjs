/**
 * Builds recordings/weather.csv from weather.csv of the npm package vega-datasets 3.2.1. It was run once; the result is
 * committed. To run it again, in an empty folder:
 *
 *   npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
 *   node build-recording.mjs package/data/weather.csv > weather.csv
 */
import { readFileSync } from 'node:fs'

const dayMs = 86_400_000
const expectedHeader = 'location,date,precipitation,temp_max,temp_min,wind,weather'
const file = process.argv[2]
if (file === undefined) throw new Error('the source file is missing: node build-recording.mjs package/data/weather.csv')

const [header, ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/)
if (header !== expectedHeader) throw new Error(`${file}: line 1 must be "${expectedHeader}", not "${header}"`)

const rows = lines.map((line, index) => {
  const [subject, date, ...values] = line.split(',')
  const eventAt = Date.parse(`${date}T00:00:00Z`)
  const numbers = values.slice(0, 4)
  if (
    Number.isNaN(eventAt) ||
    numbers.length < 4 ||
    numbers.some((text) => text === '' || Number.isNaN(Number(text)))
  ) {
    throw new Error(`${file}: line ${index + 2} is not an observation: "${line}"`)
  }
  // A day's maximum is known at the end of the day.
  return { eventAt, knownAt: eventAt + dayMs, subject, numbers: numbers.map(Number) }
})
rows.sort((a, b) => a.eventAt - b.eventAt || (a.subject < b.subject ? -1 : 1))

const instant = (at) => new Date(at).toISOString().replace('.000Z', 'Z')
console.log('event_at,known_at,subject,precipitation,temp_max,temp_min,wind')
for (const row of rows) {
  console.log([instant(row.eventAt), instant(row.knownAt), row.subject, ...row.numbers].join(','))
}
