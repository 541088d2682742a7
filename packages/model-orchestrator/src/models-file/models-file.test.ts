import { describe, expect, it } from 'vitest'
import { parseModelsFile } from './models-file.ts'

const read = (text: string) => parseModelsFile({ path: 'models.dev.yml', text, crunchId: 'weather' })

describe('parseModelsFile', () => {
  it('accepts a byte order mark, and refuses a file that is not UTF-8', () => {
    const text = 'models:\r\n  - id: "1"\r\n    submission_id: a\r\n    desired_state: STOPPED\r\n    model_name: ö\r\n'
    expect(read(`\uFEFF${text}`)).toEqual(read(text))
    for (const bytes of [
      Buffer.from(`\uFEFF${text}`, 'utf16le'),
      Buffer.from(text, 'utf16le'),
      Buffer.from(text, 'latin1'),
    ]) {
      expect(() => read(bytes.toString('utf8'))).toThrow(/models\.dev\.yml:1: the file is not UTF-8; save it as UTF-8/)
    }
  })

  it.each([
    ['a control sequence', '\\e[2J'],
    ['a line break', 'a\\nb'],
    ['a direction mark', 'a\\u202eb'],
    ['a zero-width character', 'a\\u200bb'],
  ])('refuses %s in a name, with its line', (_what, name) => {
    const entry = (key: string) =>
      `models:\n  - id: "1"\n    submission_id: a\n    desired_state: RUNNING\n    ${key}: "${name}"\n`
    for (const key of ['model_name', 'cruncher_name', 'cruncher_id', 'name']) {
      expect(() => read(entry(key))).toThrow(/models.dev.yml:5: .*contains an invisible character/)
    }
  })

  it('reads every key of deployed files', () => {
    const text = `
models:
  - id: "1"
    submission_id: trend
    crunch_id: weather
    desired_state: RUNNING
    model_name: the trend
    cruncher_id: local-0001
    cruncher_name: local-dev
  - { id: 2, submission_id: mean, desired_state: STOPPED, name: mean, resource_id: r1, hardware_type: GPU, cruncher_id: c, signature: s }
`
    expect(read(text)).toEqual({
      foreign: [],
      entries: [
        {
          id: '1',
          submissionId: 'trend',
          resourceId: null,
          hardwareType: 'CPU',
          desiredState: 'RUNNING',
          infos: {
            model_name: 'the trend',
            cruncher_id: 'local-0001',
            cruncher_name: 'local-dev',
            cruncher_wallet_pubkey: null,
            cruncher_hotkey: null,
          },
          line: 4,
        },
        {
          id: '2',
          submissionId: 'mean',
          resourceId: 'r1',
          hardwareType: 'GPU',
          desiredState: 'STOPPED',
          infos: {
            model_name: 'mean',
            cruncher_id: 'c',
            cruncher_name: 'c',
            cruncher_wallet_pubkey: null,
            cruncher_hotkey: null,
          },
          line: 10,
        },
      ],
    })
  })

  it('accepts an empty list, and separates entries of other competitions', () => {
    expect(read('models:')).toEqual({ entries: [], foreign: [] })
    expect(read('models: [{ id: a, submission_id: b, desired_state: RUNNING, crunch_id: other }]')).toEqual({
      entries: [],
      foreign: [{ id: 'a', crunchId: 'other' }],
    })
  })

  it.each([
    ['a syntax error', 'models: [\n', /^models\.dev\.yml:2: /],
    ['an empty file', '', /^models\.dev\.yml:1: the file is empty; .*models: \[\]/],
    ['a missing key', 'models:\n  - id: a\n    submission_id: b\n', /^models\.dev\.yml:2: models\.0\.desired_state/],
    [
      'an unknown state',
      'models:\n  - id: a\n    submission_id: b\n    desired_state: ON\n',
      /:4: models\.0\.desired_state/,
    ],
    [
      'an unknown key',
      'models:\n  - { id: a, submission_id: b, desired_state: RUNNING, port: 1 }\n',
      /port.*known keys: id,/,
    ],
    [
      'a path as id',
      'models:\n  - { id: ../x, submission_id: b, desired_state: RUNNING }\n',
      /:2: models\.0\.id .*letters/,
    ],
    ['a path as submission', 'models:\n  - { id: x, submission_id: /etc, desired_state: RUNNING }\n', /submission_id/],
    [
      'a duplicate id',
      'models:\n  - { id: 1, submission_id: b, desired_state: RUNNING }\n  - { id: "1", submission_id: c, desired_state: RUNNING }\n',
      /:3: id "1" is taken by the entry on line 2/,
    ],
  ])('refuses %s with its line', (_, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'MODELS_FILE_INVALID', message: expect.stringMatching(message) }),
    )
  })
})
