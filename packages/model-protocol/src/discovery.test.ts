import { describe, expect, it } from 'vitest'
import { parseClientMessage, parseServerMessage, writeFailureReport, writeServerMessage } from './discovery.ts'

const running = {
  deployment_id: 'mock_model_id_20250915_143034_791',
  model_id: 'mock_model_id',
  infos: {
    cruncher_hotkey: '',
    cruncher_wallet_pubkey: 'test_cruncher_id',
    model_name: 'mock_model_name',
    cruncher_id: 'test_cruncher_id',
    cruncher_name: 'test_cruncher_id',
  },
  state: 'RUNNING' as const,
  ip: '127.0.0.1',
  port: 8080,
}

describe('parseServerMessage', () => {
  it('parses the output of writeServerMessage', () => {
    for (const event of ['init', 'update'] as const) {
      const standings = [{ model_id: 'other', standing: 'QUARANTINED' as const, reason: 'it hung' }]
      const message = parseServerMessage(writeServerMessage(event, [running], standings))
      expect(message).toEqual({ event, data: [running], rejected: [], standings })
    }
  })

  it('reads absent or invalid standings as null, not as an empty list', () => {
    for (const standings of [undefined, null, 'x', [{ model_id: '1' }], [{ model_id: '1', standing: 'GONE' }]]) {
      const message = parseServerMessage(JSON.stringify({ event: 'init', data: [], standings }))
      expect(message).toMatchObject({ standings: null })
    }
  })

  it('accepts a port as text, nulls, absent infos and unknown keys', () => {
    const states = [
      { ...running, port: '32768', model_name: 'ignored' },
      { ...running, infos: { model_name: null }, state: 'STOPPED', ip: null, port: null },
      { ...running, state: 'RECOVERING', ip: '', port: '' },
      { ...running, state: 'STOPPED', ip: undefined, port: undefined },
    ]
    const message = parseServerMessage(JSON.stringify({ event: 'init', data: states }))
    const noInfos = {
      model_name: null,
      cruncher_id: null,
      cruncher_name: null,
      cruncher_wallet_pubkey: null,
      cruncher_hotkey: null,
    }
    expect(message).toEqual({
      event: 'init',
      rejected: [],
      standings: null,
      data: [
        { ...running, port: 32768 },
        { ...running, infos: noInfos, state: 'STOPPED', ip: null, port: null },
        { ...running, state: 'RECOVERING', ip: '', port: null },
        { ...running, state: 'STOPPED', ip: null, port: null },
      ],
    })
  })

  it('rejects invalid entries with the reason', () => {
    const states = [running, { ...running, state: 'PAUSED' }, { ...running, port: 70_000 }, { ...running, ip: null }, 7]
    const message = parseServerMessage(JSON.stringify({ event: 'update', data: states }))
    expect(message).toMatchObject({ event: 'update', data: [running] })
    const rejected = 'rejected' in message ? message.rejected : []
    expect(rejected.map(({ index }) => index)).toEqual([1, 2, 3, 4])
    expect(rejected[0]?.problem).toMatch(/^state: /)
    expect(rejected[1]?.problem).toMatch(/^port: /)
    expect(rejected[2]?.problem).toBe('a RUNNING model needs ip and port')
  })

  it('distinguishes errors, unknown events and invalid messages', () => {
    expect(parseServerMessage('{"error": "crunch_id is required"}')).toEqual({
      event: 'error',
      error: 'crunch_id is required',
    })
    expect(parseServerMessage('{"event":"hello"}')).toEqual({ event: 'unknown', name: 'hello' })
    expect(() => parseServerMessage('{')).toThrow(/^not JSON: /)
    expect(() => parseServerMessage('[]')).toThrow(/^not a discovery message: /)
    expect(() => parseServerMessage('{"event":"init","data":{}}')).toThrow('"data" of the init message must be a list')
  })
})

describe('parseClientMessage', () => {
  const report = {
    model_id: '1',
    failure_code: 'MULTIPLE_TIMEOUT' as const,
    failure_reason: null,
    ip: '127.0.0.1',
  }

  it('parses the output of writeFailureReport', () => {
    expect(parseClientMessage(writeFailureReport([report]))).toEqual({
      event: 'report_failure',
      data: [report],
      rejected: [],
    })
  })

  it('reads unknown codes as UNKNOWN, and rejects incomplete reports', () => {
    const { failure_reason: _, ...short } = { ...report, failure_code: 'NEW_CODE' }
    expect(
      parseClientMessage(JSON.stringify({ event: 'report_failure', data: [short, { model_id: '2' }] })),
    ).toMatchObject({
      data: [{ ...report, failure_code: 'UNKNOWN' }],
      rejected: [{ index: 1, problem: expect.stringContaining('ip: ') }],
    })
  })

  it('ignores other events, and refuses invalid messages', () => {
    expect(parseClientMessage('{"event":"subscribe","data":[]}')).toEqual({ event: 'unknown', name: 'subscribe' })
    expect(() => parseClientMessage('nonsense')).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
  })
})
