import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { addressOf } from '../adapters/store/postgres/session/address.ts'
import { CrunchError } from '../domain/errors.ts'
import { readSettings, settingsSchema } from './settings.ts'

function failure(env: Record<string, string>): CrunchError {
  try {
    readSettings(env)
  } catch (error) {
    if (error instanceof CrunchError) return error
    throw error
  }
  throw new Error('the settings were taken')
}

describe('readSettings', () => {
  test('fills in the documented defaults', () => {
    expect(readSettings({})).toMatchObject({
      CRUNCH_ID: 'starter-challenge',
      MODEL_RUNNER_NODE_PORT: 9091,
      MODEL_BASE_CLASSNAME: 'tracker.TrackerBase',
      REPORT_API_PORT: 8000,
      SCORE_INTERVAL_SECONDS: 5,
      databaseUrl: undefined,
    })
  })

  test('names an unknown key and the nearest known one', () => {
    const { code, message } = failure({ FEED_SUBJECT: 'BTCUSDT', MODEL_RUNER_NODE_PORT: '1' })
    expect(code).toBe('SETTINGS_INVALID')
    expect(message).toContain('FEED_SUBJECT: there is no such setting; did you mean FEED_SUBJECTS?')
    expect(message).toContain('did you mean MODEL_RUNNER_NODE_PORT?')
    const others = failure({ REPORT_API_PROT: '1', COMPUTE_PROVIDER_KEY: 'k', DATA_PROVIDER_PUBKY: 'k' }).message
    expect(others).toContain('REPORT_API_PROT: there is no such setting; did you mean REPORT_API_PORT?')
    expect(others).toContain('did you mean COMPUTE_PROVIDER_PUBKEY?')
    expect(others).toContain('did you mean DATA_PROVIDER_PUBKEY?')
  })

  test('ignores variables of other programs', () => {
    const others = ['PATH', 'NODE_ENV', 'API_URL', 'API_KEYS', 'MODEL_NAME', 'FEED_URL', 'CRUNCH_DIR', 'CRUNCH_API']
    const services = [
      'POSTGRES_HST',
      'DATABASE_URI',
      'PGHOST',
      'DB_HOST',
      'CACHEBUST',
      'NEXT_PUBLIC_API_URL',
      'LOG_LVL',
    ]
    const env = Object.fromEntries([...others, ...services].map((key) => [key, '1']))
    expect(() => readSettings(env)).not.toThrow()
  })

  test.each([
    ['', 'is empty: remove the line to use the default'],
    ['  ', 'is empty'],
    [' 5', 'has blanks around the number'],
    ['0x10', 'is not decimal'],
    ['0b1', 'is not decimal'],
    ['1e3', 'has an exponent'],
    ['1_000', 'has separators between its digits'],
    ['1,5', 'has separators between its digits'],
    ['1 000', 'has separators between its digits'],
    ['5s', 'has a unit'],
    ['5 min', 'has a unit'],
    ['+5', 'has a + before'],
    ['007', 'has leading zeros'],
    ['5.', 'has no digit on one side'],
    ['Infinity', 'is not a number'],
    ['many', 'is not a number'],
  ])('refuses %j as a number, in every setting that is one', (value, problem) => {
    const { properties = {} } = z.toJSONSchema(settingsSchema, { io: 'output', unrepresentable: 'any' })
    const numeric = Object.keys(properties).filter((key) => {
      const { type } = properties[key] as { type?: string }
      return type === 'number' || type === 'integer'
    })
    expect(numeric.length).toBeGreaterThan(15)
    const { message } = failure(Object.fromEntries(numeric.map((key) => [key, value])))
    for (const key of numeric) expect(message).toContain(`${key}: ${problem}`)
    expect(failure({ FEED_REPLAY_FILES: 'a.csv', FEED_REPLAY_SPEED: value }).message).toContain('must be max, or a')
  })

  test('refuses a setting of the Python engine that would have no effect', () => {
    const { message } = failure({ CRUNCH_CONFIG_MODULE: 'secret', API_KEY: 'secret' })
    expect(message).toContain('CRUNCH_CONFIG_MODULE: this is a setting of the Python engine: the contract is')
    expect(message).not.toContain('API_KEY')
    expect(message).not.toContain('secret')
  })

  test('reads how the report API is restricted, and refuses what would leave it open', () => {
    const env = {
      API_READ_AUTH: 'Yes',
      API_PUBLIC_PREFIXES: '/healthz, /reports/feeds/',
      API_TRUSTED_PROXIES: '10.0.0.0/8,::1',
    }
    expect(readSettings(env)).toMatchObject({
      API_READ_AUTH: true,
      API_PUBLIC_PREFIXES: ['/healthz', '/reports/feeds/'],
      API_TRUSTED_PROXIES: ['10.0.0.0/8', '::1'],
    })
    expect(readSettings({})).toMatchObject({ API_READ_AUTH: false, REPORT_API_HOST: '127.0.0.1' })
    expect(failure({ API_READ_AUTH: 'on' }).message).toContain('API_READ_AUTH: must be true or false')
    expect(failure({ API_READ_AUHT: '1' }).message).toContain('did you mean API_READ_AUTH?')
    expect(failure({ API_ADMIN_PREFIXES: 'reports' }).message).toContain('paths that begin with a slash')
    for (const network of ['localhost', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0.1/8/8']) {
      expect(failure({ API_TRUSTED_PROXIES: network }).message, network).toContain('must be IP addresses or networks')
    }
  })

  test('refuses a registry of wallets that can be changed on its way, or whose URL has a password', () => {
    for (const registry of [
      'http://node.example/c',
      'https://ada:secret@node.example/c',
      'https://ada@node.example/c',
    ]) {
      expect(() => readSettings({ CRUNCHER_REGISTRY: registry })).toThrow('an https:// URL without a name and password')
      expect(() => readSettings({ CRUNCHER_REGISTRY: registry })).not.toThrow('secret')
    }
    for (const registry of ['https://node.example/c', 'http://127.0.0.1:1/c', 'crunchers.json', 'deployments']) {
      expect(readSettings({ CRUNCHER_REGISTRY: registry }).CRUNCHER_REGISTRY).toBe(registry)
    }
  })

  test.each(['SOLANA_RPC_URL', 'FEED_PYTH_URL', 'FEED_PRICE_API_URL', 'FEED_BINANCE_REST_URL'])(
    'refuses a password in %s, and does not show it',
    (key) => {
      const { message } = failure({ [key]: 'https://ada:secret@rpc.example/v2' })
      expect(message).toContain(`${key}: must not contain a name and password`)
      expect(message).not.toContain('secret')
      expect(failure({ [key]: 'https://ada@rpc.example' }).message).toContain('must not contain a name')
      expect(failure({ [key]: 'rpc.example' }).message).toContain('must be an http:// or https:// URL')
      expect(readSettings({ [key]: 'https://rpc.example/v2?api-key=k' })).toMatchObject({
        [key]: 'https://rpc.example/v2?api-key=k',
      })
    },
  )

  test('refuses a setting that has no effect without another one', () => {
    expect(failure({ POSTGRES_DB: 'crunch' }).message).toContain('POSTGRES_DB: has no effect without POSTGRES_HOST')
    expect(failure({ FEED_REPLAY_SPEED: '60' }).message).toContain('FEED_REPLAY_SPEED: has no effect without')
  })

  test('refuses two modes of security at once', () => {
    expect(readSettings({ SECURE_CERT_DIR: 'certs' })).toMatchObject({ SECURE_CERT_DIR: 'certs' })
    const { message } = failure({ SECURE_CERT_DIR: 'certs', GATEWAY_CERT_DIR: 'gateway' })
    expect(message).toContain('GATEWAY_CERT_DIR: cannot be combined with SECURE_CERT_DIR')
  })

  test('reports all invalid values at once', () => {
    const { message } = failure({ REPORT_API_PORT: '99999', NETWORK: 'mainnet', SCORING_FUNCTION: 'scoring.ts' })
    expect(message).toContain('REPORT_API_PORT: must be 1 to 65535')
    expect(message).toContain('NETWORK: must be devnet or mainnet-beta')
    expect(message).toContain('SCORING_FUNCTION: must be path/to/module.ts#exportName')
  })

  test.each(['runtime_definitions.scoring:score', 'scoring.py#score', './scoring.py', 'node/scoring.pyc:score'])(
    'explains that a Python function as %s has to be written in TypeScript, and what the setting expects',
    (python) => {
      const { message } = failure({
        ...{ SCORING_FUNCTION: python, INFERENCE_INPUT_BUILDER: python, INFERENCE_OUTPUT_VALIDATOR: python },
        ...{ FEED_SOURCE_MODULE: python, MODEL_SCORE_AGGREGATOR: python, LEADERBOARD_RANKER: python },
      })
      const lines = message.split('\n').slice(1)
      expect(lines).toHaveLength(6)
      for (const line of lines)
        expect(line).toContain('names Python code, which this node does not run: write that function')
      const of = (key: string) => lines.find((line) => line.includes(`${key}: `))
      expect(of('MODEL_SCORE_AGGREGATOR')).toContain(
        'got all scored predictions and returned a list of entries; here it gets { scores }',
      )
      expect(of('LEADERBOARD_RANKER')).toContain('here it gets { models }, with the value of each window')
      expect(readSettings({ LEADERBOARD_RANKER: 'C:/python/rank.ts#byId' }).LEADERBOARD_RANKER).toContain('#byId')
    },
  )

  test('accepts 1 to 64 MiB for answers of models', () => {
    expect(readSettings({ MODEL_RUNNER_MAX_ANSWER_MEBIBYTES: '64' }).MODEL_RUNNER_MAX_ANSWER_MEBIBYTES).toBe(64)
    for (const wrong of ['0', '65', '1.5']) {
      expect(failure({ MODEL_RUNNER_MAX_ANSWER_MEBIBYTES: wrong }).message).toContain('MAX_ANSWER_MEBIBYTES: must be ')
    }
  })

  test('refuses limits under which no model could run', () => {
    expect(readSettings({ MODEL_MEMORY_MEBIBYTES: '512', MODEL_CPU_CORES: '0.5' })).toMatchObject({
      MODEL_CPU_CORES: 0.5,
    })
    const { message } = failure({ MODEL_MEMORY_MEBIBYTES: '64', MODEL_CPU_CORES: 'many', MODEL_PROCESSES: '9.5' })
    expect(message).toContain('MODEL_MEMORY_MEBIBYTES: must be 128 to 1048576')
    expect(message).toContain('MODEL_CPU_CORES: is not a number')
    expect(message).toContain('MODEL_PROCESSES: must be a whole number')
  })

  test.each([
    [{ DATABASE_URL: 'postgres://a@b/c' }, 'postgres://a@b/c'],
    [{ POSTGRES_HOST: 'db', POSTGRES_PASSWORD: 'p@s/s' }, 'postgres://crunch:p%40s%2Fs@db:5432/crunch'],
    [{ POSTGRES_HOST: '::1', POSTGRES_PORT: '5433' }, 'postgres://crunch@[::1]:5433/crunch'],
    [{ POSTGRES_HOST: 'fe80::1%eth0' }, 'postgres://crunch@[fe80::1%25eth0]:5432/crunch'],
    [{ POSTGRES_HOST: '/var/run/x y' }, 'postgres://crunch@localhost:5432/crunch?host=%2Fvar%2Frun%2Fx%20y'],
  ])('derives the URL of the database from %j', (env, url) => {
    expect(readSettings(env).databaseUrl).toBe(url)
    expect(() => addressOf(url)).not.toThrow()
  })

  test('refuses an address of the database that cannot be used, without its password', () => {
    const one = failure({ DATABASE_URL: 'postgres://u:50%s3cret@h/db', POSTGRES_HOST: '127.0.0.1:21001' }).message
    expect(one).toContain('DATABASE_URL: has a bare % in the password: write % as %25')
    expect(one).toContain('POSTGRES_HOST: has a port in it: name the host alone; the port is POSTGRES_PORT')
    expect(one).toContain('POSTGRES_HOST: cannot be combined with DATABASE_URL')
    expect(one).not.toContain('s3cret')
  })

  test('reads lists and the speed of a replay', () => {
    const settings = readSettings({
      FEED_SUBJECTS: 'BTCUSDT, ETHUSDT',
      FEED_REPLAY_FILES: 'a.csv',
      FEED_REPLAY_SPEED: '60',
    })
    expect(settings.FEED_SUBJECTS).toEqual(['BTCUSDT', 'ETHUSDT'])
    expect(settings.FEED_REPLAY_SPEED).toBe(60)
    expect(readSettings({}).FEED_REPLAY_SPEED).toBe('max')
    // A replay of a day in 8 ms.
    expect(readSettings({ FEED_REPLAY_FILES: 'a.csv', FEED_REPLAY_SPEED: '10800000' }).FEED_REPLAY_SPEED).toBe(
      10_800_000,
    )
  })
})
