import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rememberingLog, until } from '../../test/workspace.ts'
import { type LoggedLine, type ModelLogRequest, readModelLog } from './read-model-log.ts'
import { DEFAULT_LOG_LIMITS, type LogLimits, openRunLog } from './run-log.ts'

let logsDirectory: string
beforeEach(async () => {
  logsDirectory = await mkdtemp(join(tmpdir(), 'model-log-'))
})
afterEach(() => rm(logsDirectory, { recursive: true, force: true }))

const openLog = (deploymentId: string, limits: Partial<LogLimits> = {}) =>
  openRunLog({
    directory: logsDirectory,
    modelId: 'm',
    deploymentId,
    limits: { ...DEFAULT_LOG_LIMITS, ...limits },
    log: rememberingLog(),
  })
const line = (message: string) => ({ message, error: false, emitter: 'user-code' as const })
const end = { message: 'run ended: exited with code 0', error: false, emitter: 'service' as const }

async function messages(request: Partial<ModelLogRequest> = {}): Promise<string[]> {
  const found: string[] = []
  for await (const { message } of readModelLog({ logsDirectory, modelId: 'm', ...request })) found.push(message)
  return found
}

/** What a follower has seen so far. */
function following(request: Partial<ModelLogRequest> = {}) {
  const seen: LoggedLine[] = []
  const leave = new AbortController()
  const done = (async () => {
    const all = readModelLog({ logsDirectory, modelId: 'm', follow: true, signal: leave.signal, ...request })
    for await (const one of all) seen.push(one)
  })()
  return { seen, done, leave: () => leave.abort() }
}

describe('readModelLog', () => {
  it('returns both files of the newest run, or its newest lines', async () => {
    for (const run of ['m_1', 'm_2']) {
      const runLog = openLog(run, { fileBytes: 1_000 })
      for (let count = 0; count < 15; count += 1) await runLog.append([line(`${run} line ${count}`)])
      await runLog.close()
    }
    const all = await messages()
    expect(all.length).toBeGreaterThan(10)
    expect(all.at(-1)).toBe('m_2 line 14')
    expect(await messages({ lines: 2 })).toEqual(['m_2 line 13', 'm_2 line 14'])
    expect((await messages({ deploymentId: 'm_1' })).at(-1)).toBe('m_1 line 14')
  })

  it('follows a model across log rotation and restarts', async () => {
    const { seen, done, leave } = following({ lines: 1 })
    const first = openLog('m_1', { fileBytes: 400 })
    await first.append([line('0'), line('1')])
    await until('the first line', () => seen.length > 0)
    for (let count = 2; count < 12; count += 1) {
      await first.append([line(String(count))])
      if (count % 3 === 0) await until('the newest line', () => seen.at(-1)?.message === String(count))
    }
    await first.append([end])
    await first.close()
    const second = openLog('m_2')
    await second.append([line('again')])
    await until('the next run', () => seen.at(-1)?.message === 'again')
    expect(seen.at(-1)?.deploymentId).toBe('m_2')
    const numbers = seen.flatMap(({ message }) => (/^\d+$/.test(message) ? [Number(message)] : []))
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + numbers[0]!))
    expect(numbers.at(-1)).toBe(11)
    leave()
    await done
    await second.close()
  })

  it('ends with the run if a run is given', async () => {
    const { seen, done } = following({ deploymentId: 'm_1' })
    const runLog = openLog('m_1')
    await runLog.append([line('a')])
    await until('the line', () => seen.length === 1)
    await runLog.append([line('b'), end])
    await done
    expect(seen.map(({ message }) => message)).toEqual(['a', 'b', end.message])
    await runLog.close()
  })

  it('waits for the end of a line, and shows a line that a crash cut off', async () => {
    await mkdir(join(logsDirectory, 'm'))
    const path = join(logsDirectory, 'm', 'm_1.ndjson')
    const whole = JSON.stringify({ timestamp: '2025-01-01T00:00:00.000Z', ...line('é whole') })
    const bytes = Buffer.from(`{"timest\n${whole}\n`)
    await writeFile(path, bytes.subarray(0, bytes.indexOf(0xc3) + 1))
    const { seen, done, leave } = following()
    await until('the broken line', () => seen.length === 1)
    await appendFile(path, bytes.subarray(bytes.indexOf(0xc3) + 1))
    await until('the whole one', () => seen.length === 2)
    expect(seen.map(({ message }) => message)).toEqual(['{"timest', 'é whole'])
    await rename(path, join(logsDirectory, 'm', 'm_1.1.ndjson'))
    leave()
    await done
  })

  it('reports a missing log, and never reads outside the log folder', async () => {
    await expect(messages()).rejects.toMatchObject({ code: 'LOG_UNKNOWN' })
    await writeFile(join(logsDirectory, 'x.ndjson'), '{}\n')
    for (const request of [{ modelId: '..' }, { modelId: 'm', deploymentId: '../x' }, { deploymentId: 'm_9' }]) {
      await expect(messages(request)).rejects.toMatchObject({ code: 'LOG_UNKNOWN' })
    }
  })
})
