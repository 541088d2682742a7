import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '@crunch/coordinator-node/internal'
import { errorText } from '@crunch/local-processes/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readNodeSettings, unreadKeys } from './engine.ts'
import { readEnvironment, readNodeEnvironment } from './read-environment.ts'

let node: string

beforeEach(async () => {
  node = join(await mkdtemp(join(tmpdir(), 'crunch-settings-')), 'node')
  await mkdir(node)
})

afterEach(() => rm(join(node, '..'), { recursive: true }))

const write = (name: string, text: string) => writeFile(join(node, name), text)

function refusal(env: Record<string, string> = {}): string {
  try {
    readNodeSettings(readNodeEnvironment(node, env))
  } catch (error) {
    return errorText(error)
  }
  throw new Error('the settings were accepted')
}

describe('the environment of a node', () => {
  it('prefers the process environment, then .local.env, then .env', async () => {
    await write('.env', 'A=1\nB=1\nC=1\n')
    await write('.local.env', '\n\nB=2\nC=2\n')
    const { values, places } = readNodeEnvironment(node, { C: '3' })
    expect(values).toEqual({ A: '1', B: '2', C: '3' })
    expect([...places]).toEqual([
      ['A', `${join(node, '.env')}:1`],
      ['B', `${join(node, '.local.env')}:3`],
    ])
  })

  it('reads the lists of a node with blanks around their commas', async () => {
    await write('.local.env', 'FEED_SUBJECTS=BTCUSDT, ETHUSDT\nFEED_REPLAY_FILES=a.csv ,b.csv\n')
    const { FEED_SUBJECTS, FEED_REPLAY_FILES } = readSettings(readNodeEnvironment(node, {}).values)
    expect([FEED_SUBJECTS, FEED_REPLAY_FILES]).toEqual([
      ['BTCUSDT', 'ETHUSDT'],
      ['a.csv', 'b.csv'],
    ])
  })

  it('reports all invalid lines at once, each with its place', async () => {
    await write('.env', 'A\n')
    await write('.local.env', 'B=1\nC: 2\n')
    expect(() => readEnvironment(node, {})).toThrow(
      `${join(node, '.env')}:1: it has no "="\n  fix: write KEY=value, or put # before a comment\n` +
        `${join(node, '.local.env')}:2: "C:" is YAML\n  fix: write C=value`,
    )
  })

  it('refuses a settings file that is a folder', async () => {
    await mkdir(join(node, '.env'))
    expect(() => readEnvironment(node, {})).toThrow(`${join(node, '.env')}: it is a folder`)
  })

  it('names the place of a wrong value, but none for the process environment', async () => {
    await write('.local.env', '# here\nREPORT_API_PORT=0x1F\nLOG_LEVEL=loud\n')
    const message = refusal({ LOG_LEVEL: 'shy' })
    expect(message).toContain(`  - ${join(node, '.local.env')}:2: REPORT_API_PORT: is not decimal`)
    expect(message).toContain('\n  - LOG_LEVEL: must be')
  })
})

describe('keys that are not settings', () => {
  it.each([
    ['DATABASE_URI', 'did you mean DATABASE_URL?'],
    ['POSTGRES_HST', 'did you mean POSTGRES_HOST?'],
    ['CRUNCHID', 'did you mean CRUNCH_ID?'],
    ['SCORE_INTERVAL_SECS', 'did you mean SCORE_INTERVAL_SECONDS?'],
    ['report_api_port', 'did you mean REPORT_API_PORT?'],
    ['REPORT_PORT', 'did you mean REPORT_API_PORT?'],
    ['LOGLEVEL', 'did you mean LOG_LEVEL?'],
    ['PGPASSWORD', 'did you mean POSTGRES_PASSWORD?'],
    ['FEED_COLOUR', 'there is no such setting; remove it'],
    ['CRUNCH_CONFIG_MODULE', 'this is a setting of the Python engine: the contract is node/contract.ts'],
    ['SCHEDULED_PREDICTION_CONFIGS_PATH', 'write the schedules into the contract'],
    ['FEED_OPT_DEPTH', 'write the options of a source into the contract'],
    ['NEXT_PUBLIC_API_URL', 'the report worker serves the page'],
  ])('refuses %s in a file: %s', async (key, text) => {
    await write('.env', `CRUNCH_ID=a\n${key}=s3cret\n`)
    const message = refusal()
    expect(message).toContain(`${join(node, '.env')}:2: ${key}: `)
    expect(message).toContain(text)
    expect(message).not.toContain('s3cret')
  })

  it('reports any other unused key', async () => {
    await write('.env', 'NODE_OPTIONS=x\nhttps_proxy=http://p\nGRID_TOKEN=1\nOPENAI_API_KEY=1\nUNUSED=1\nGRID=1\n')
    await write('contract.ts', "const headers = { authorization: 'Bearer {env:GRID_TOKEN}' }\n")
    await mkdir(join(node, '../challenge'))
    await write('../challenge/ask.ts', 'process.env.OPENAI_API_KEY\n')
    const environment = readNodeEnvironment(node, {})
    expect(() => readNodeSettings(environment)).not.toThrow()
    expect(unreadKeys(environment)).toEqual(['UNUSED', 'GRID'])
  })

  it("accepts a key that the author's code uses, even if it is similar to a setting", async () => {
    await write('.env', 'COIN_API_KEY=1\nDATABASE_URI=2\n')
    await write('contract.mts', 'process.env.COIN_API_KEY + process.env.DATABASE_URI\n')
    const environment = readNodeEnvironment(node, {})
    expect(() => readNodeSettings(environment)).not.toThrow()
    expect(unreadKeys(environment)).toEqual([])
  })
})
