import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { changedContract, market } from '../../test/sample-contract.ts'
import { minute } from '../ports/store-samples.ts'
import { recordingWarnings } from './recording-warnings.ts'

const folder = mkdtempSync(join(tmpdir(), 'recording-warnings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const contract = changedContract({ feed: { ...market, kind: 'load' } })

function warnings(header: string, ...rows: readonly string[]): Promise<readonly string[]> {
  const path = join(folder, 'load.csv')
  writeFileSync(path, [header, ...rows].join('\n'))
  return recordingWarnings(contract, [path], new AbortController().signal)
}

test('the first records of a recording without known_at show that look-ahead is possible', async () => {
  const rows = [1, 2].map((count) => `${minute(count)},BTCUSDT,1`)
  expect(await warnings('time,subject,close', ...rows)).toEqual([
    expect.stringMatching(/load\.csv: look-ahead is possible: .* add a column known_at with the end of these 1m$/),
  ])
})

test('a recording with known_at, and one that cannot be read, cause none', async () => {
  const rows = [1, 2].map((count) => `${minute(count)},${minute(count + 1)},BTCUSDT,1`)
  expect(await warnings('time,known_at,subject,close', ...rows)).toEqual([])
  expect(await warnings('nothing', '1')).toEqual([])
})
