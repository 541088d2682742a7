import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { loggedServices, parseLogLine } from '@crunch/local-processes'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { followLogs } from './follow-logs.ts'
import { failureText, formatLogEntry } from './log-entry.ts'
import { readLines } from './read-lines.ts'
import { readLogs } from './read-logs.ts'
import { ServiceLog } from './service-log.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crunch-logs-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const line = (time: number, msg: string): string => JSON.stringify({ level: 30, time, msg })

async function poll(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 15_000
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('not within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('ServiceLog', () => {
  it('keeps the newest lines within the limits of files and bytes', async () => {
    const log = new ServiceLog(directory, 'predict', { bytes: 10_000, files: 3 })
    for (let index = 0; index < 2_000; index += 1) log.writeLine(line(index, `line ${index}`), 'stdout')
    await log.close()
    const names = (await readdir(directory)).sort()
    expect(names).toEqual(['predict.1.log', 'predict.2.log', 'predict.log'])
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size))
    expect(Math.max(...sizes)).toBeLessThan(10_100)
    const entries = await readLogs(directory, ['predict'], 300)
    expect(entries.map(({ entry }) => entry.msg)).toEqual(
      Array.from({ length: 300 }, (_, index) => `line ${1_700 + index}`),
    )
  })

  it('begins a new line after an incomplete one, e.g. after a crash or a full disk', async () => {
    const half = line(1, 'cut in the middle').slice(0, 20)
    await writeFile(join(directory, 'predict.log'), `${line(0, 'whole')}\n${half}`)
    const log = new ServiceLog(directory, 'predict')
    log.writeLine(line(2, 'next'), 'stdout')
    await log.close()
    const entries = await readLogs(directory, ['predict'], 10)
    expect(entries.map(({ entry }) => entry.msg)).toEqual(['whole', 'next'])
  })

  it('converts any other text to an entry', async () => {
    const log = new ServiceLog(directory, 'models')
    log.writeLine('Traceback (most recent call last)', 'stderr')
    log.writeLine('{"not": "an entry"}', 'stdout')
    await log.close()
    const entries = await readLogs(directory, ['models'], 10)
    expect(entries.map(({ entry }) => [entry.level, entry.msg])).toEqual([
      [40, 'Traceback (most recent call last)'],
      [30, '{"not": "an entry"}'],
    ])
  })
})

describe('readLogs', () => {
  it('merges services by time and omits a line that is still being written', async () => {
    await writeFile(join(directory, 'a.log'), `${line(1, 'a1')}\n${line(4, 'a4')}\n${line(5, 'unfinished')}`)
    await writeFile(join(directory, 'b.log'), `${line(2, 'b2')}\nno JSON\n${line(3, 'b3')}\n`)
    expect(await loggedServices(directory)).toEqual(['a', 'b'])
    const merged = await readLogs(directory, ['a', 'b'], 3)
    expect(merged.map(({ service, entry }) => `${service} ${entry.msg}`)).toEqual(['b b2', 'b b3', 'a a4'])
  })

  it('returns nothing for a service without a log', async () => {
    expect(await readLogs(directory, ['none'], 10)).toEqual([])
    expect(await loggedServices(join(directory, 'none'))).toEqual([])
  })
})

describe('followLogs', () => {
  it('loses and duplicates no line while files rotate', async () => {
    const log = new ServiceLog(directory, 'predict', { bytes: 5_000, files: 40 })
    log.writeLine(line(0, 'before'), 'stdout')
    const seen: string[] = []
    const ending = new AbortController()
    const following = followLogs(
      directory,
      ['predict', 'starts-later'],
      (entries) => seen.push(...entries.map(({ entry }) => entry.msg)),
      ending.signal,
    )
    log.writeLine(line(0, 'first'), 'stdout')
    await poll(() => seen.includes('first'))
    seen.length = 0
    const expected = Array.from({ length: 1_500 }, (_, index) => `line ${index}`)
    for (const [index, msg] of expected.entries()) {
      log.writeLine(line(index, msg), 'stdout')
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await poll(() => seen.length >= expected.length)
    const later = new ServiceLog(directory, 'starts-later')
    later.writeLine(line(0, 'later'), 'stdout')
    await poll(() => seen.includes('later'))
    ending.abort()
    await following
    await Promise.all([log.close(), later.close()])
    expect(seen).toEqual([...expected, 'later'])
  })
})

describe('readLines', () => {
  it('truncates a line that is too long and continues with the next', async () => {
    const stream = new PassThrough()
    const lines: string[] = []
    const done = readLines(stream, 10, (text) => lines.push(text))
    stream.write('short\r\n')
    for (let index = 0; index < 5; index += 1) stream.write('x'.repeat(8))
    stream.write('\nnext\nlast')
    stream.end()
    await done
    expect(lines).toEqual(['short', 'x'.repeat(10), 'next', 'last'])
  })
})

describe('failureText', () => {
  it.each([
    [{ err: { message: 'no such table' } }, 'cannot start: no such table'],
    [{ reason: 'port 9091 is in use' }, 'cannot start: port 9091 is in use'],
    [{ err: { message: 'cannot start' } }, 'cannot start'],
    [{ err: 7 }, 'cannot start'],
  ])('is the message with its relevant fields: %j', (fields, text) => {
    const entry = parseLogLine(JSON.stringify({ level: 50, time: 0, msg: 'cannot start', ...fields }))
    expect(entry && failureText(entry)).toBe(text)
  })
})

describe('formatLogEntry', () => {
  it('writes time, level, service, message and fields into one line, and a stack below', () => {
    const entry = parseLogLine(
      JSON.stringify({
        level: 50,
        time: 0,
        pid: 1,
        hostname: 'h',
        msg: 'broken',
        stage: 'score',
        note: 'a b',
        err: { stack: 'Error: x\n at y' },
      }),
    )
    expect(entry && formatLogEntry('score', entry)).toBe(
      '00:00:00.000 ERROR score    broken stage=score note="a b"\n    Error: x\n     at y',
    )
  })
})
