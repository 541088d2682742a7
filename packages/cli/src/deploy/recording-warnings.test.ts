import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AnyContract, loadNodeContract, recordingWarnings } from '../engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'recording-warnings-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The contract of the template, with hourly totals instead of candles. */
let contract: AnyContract
beforeAll(async () => {
  const path = fileURLToPath(new URL('../../../../templates/node/contract.ts', import.meta.url))
  contract = await loadNodeContract(path, { FEED_KIND: 'load' })
})

const header = 'time,open,high,low,close,volume'
const row = (minute: number) => `2026-03-01T10:0${minute}:00Z,1,1,1,1,1`

function warnings(name: string, lines: readonly string[]): Promise<readonly string[]> {
  const path = join(folder, name)
  writeFileSync(path, lines.join('\n'))
  return recordingWarnings(contract, [path], new AbortController().signal)
}

it('a replay of a recording without known_at warns of look-ahead, before anything is started', async () => {
  expect(await warnings('BTCUSDT.csv', [header, row(1), row(2)])).toEqual([
    expect.stringMatching(/BTCUSDT\.csv: look-ahead is possible: .* add a column known_at with the end of these /),
  ])
})

it('a replay of a recording with known_at, or of one that cannot be read, warns of nothing', async () => {
  const known = [row(1), row(2)].map((text, index) => `${text},2026-03-01T10:0${index + 2}:00Z`)
  expect(await warnings('BTCUSDT-known.csv', [`${header},known_at`, ...known])).toEqual([])
  expect(await warnings('BTCUSDT-broken.csv', ['nothing', '1'])).toEqual([])
})
