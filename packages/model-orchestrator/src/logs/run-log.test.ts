import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rememberingLog } from '../../test/workspace.ts'
import { captureOutput } from './capture-output.ts'
import { DEFAULT_LOG_LIMITS, type LogLimits, openRunLog } from './run-log.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'run-log-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const log = rememberingLog()
const open = (deploymentId: string, limits: Partial<LogLimits> = {}, target = directory) =>
  openRunLog({ directory: target, modelId: 'm', deploymentId, limits: { ...DEFAULT_LOG_LIMITS, ...limits }, log })
const line = (message: string, error = false) => ({ message, error, emitter: 'user-code' as const })

describe('run log', () => {
  it('keeps at most two files of limited size per run, with the newest lines', async () => {
    const runLog = open('m_1', { fileBytes: 2_000 })
    for (let count = 0; count < 200; count += 1) await runLog.append([line(`line ${count}`)])
    await runLog.close()
    const names = await readdir(join(directory, 'm'))
    expect(names.sort()).toEqual(['m_1.1.ndjson', 'm_1.ndjson'])
    for (const name of names) expect((await stat(join(directory, 'm', name))).size).toBeLessThanOrEqual(2_000)
    const last = (await readFile(join(directory, 'm', 'm_1.ndjson'), 'utf8')).trim().split('\n').at(-1)
    expect(JSON.parse(last ?? '')).toMatchObject(line('line 199'))
  })

  it('keeps the newest runs and foreign files', async () => {
    await mkdir(join(directory, 'm'))
    await writeFile(join(directory, 'm', 'notes.txt'), 'mine')
    for (let count = 1; count <= 6; count += 1) {
      const runLog = open(`m_2025_00${count}`, { runs: 3, fileBytes: 100 })
      await runLog.append([line('x'.repeat(80))])
      await runLog.append([line('y'.repeat(80))])
      await runLog.close()
    }
    const runs = [4, 5, 6].flatMap((count) => [`m_2025_00${count}.1.ndjson`, `m_2025_00${count}.ndjson`])
    expect((await readdir(join(directory, 'm'))).sort()).toEqual([...runs, 'notes.txt'])
  })

  it('keeps the newest errors as its tail, with and without a folder', async () => {
    for (const target of [directory, undefined]) {
      const runLog = openRunLog({
        directory: target,
        modelId: 'm',
        deploymentId: 'm_1',
        limits: DEFAULT_LOG_LIMITS,
        log,
      })
      await runLog.append([line('printed'), line('x'.repeat(5_000), true), line('the reason', true)])
      expect(runLog.errorTail()).toMatch(/^x+\nthe reason$/)
      expect(runLog.errorTail()).toHaveLength(1_000)
      await runLog.close()
    }
  })

  it('reports once that it cannot write, and never fails the model', async () => {
    await writeFile(join(directory, 'file'), '')
    const before = log.lines.length
    const runLog = open('m_1', {}, join(directory, 'file'))
    await runLog.append([line('a')])
    await runLog.append([line('b')])
    await runLog.close()
    expect(log.lines.slice(before)).toMatchObject([{ level: 'error', fields: { modelId: 'm' } }])
  })
})

describe('captured output', () => {
  it('splits output into lines, even if it arrives in pieces, lacks a line end, or is far too long', async () => {
    const runLog = open('m_1')
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const output = captureOutput({ stdout, stderr, runLog, limits: DEFAULT_LOG_LIMITS, onFlood: () => undefined })
    const euro = Buffer.from('€')
    stdout.write('one\r\ntw')
    stdout.write('o\n\n')
    stdout.write(euro.subarray(0, 1))
    stdout.end(Buffer.concat([euro.subarray(1), Buffer.from('\nrest')]))
    stderr.end('e'.repeat(40_000))
    await output.finish()
    await runLog.close()
    const text = await readFile(join(directory, 'm', 'm_1.ndjson'), 'utf8')
    const lines: { message: string; error: boolean }[] = text
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row))
    expect(lines.filter(({ error }) => !error).map(({ message }) => message)).toEqual(['one', 'two', '', '€', 'rest'])
    expect(lines.filter(({ error }) => error).map(({ message }) => message.length)).toEqual([16_384, 16_384, 7_232])
  })

  it('drops output over the budget, logs how much, and reports a flood', async () => {
    const limits = {
      ...DEFAULT_LOG_LIMITS,
      bytesPerSecond: 1,
      burstBytes: 10_000,
      floodBytesPerSecond: 1,
      floodBytes: 50_000,
    }
    const runLog = open('m_1', limits)
    let floods = 0
    const output = captureOutput({
      stdout: Readable.from(Array.from({ length: 60 }, () => Buffer.from(`${'z'.repeat(999)}\n`))),
      stderr: Readable.from([]),
      runLog,
      limits,
      onFlood: () => (floods += 1),
    })
    await output.finish()
    await runLog.close()
    expect(floods).toBe(10)
    const text = await readFile(join(directory, 'm', 'm_1.ndjson'), 'utf8')
    const messages: string[] = text
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row).message)
    expect(messages).toHaveLength(11)
    expect(messages.at(-1)).toBe('50000 bytes were dropped here: the model prints too much')
  })
})
