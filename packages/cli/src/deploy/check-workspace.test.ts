import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { embeddedDatabase } from '../embedded-database.ts'
import { confirmNewEra, loadNodeContract, openStore } from '../engine.ts'
import type { Environment } from '../read-environment.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'
import { type CheckOptions, checkWorkspace, formatFinding } from './check-workspace.ts'
import { liveDatabaseDirectory } from './workspace-databases.ts'

const template = findWorkspace(fileURLToPath(new URL('../../../../templates/node', import.meta.url)))

describe('a workspace whose source has no live stream', () => {
  const elsewhere = { FEED_SOURCE: 'elsewhere' }

  it('is valid, with a note that it can only replay', async () => {
    const { findings, notes } = await checkWorkspace(template, elsewhere, { ports: false, purpose: 'look' })
    expect(findings).toEqual([])
    expect(notes.join()).toMatch(
      /^It can only replay: there is no live source "elsewhere"; the available sources are .*binance/,
    )
  })

  it('cannot be deployed live', async () => {
    const { findings } = await checkWorkspace(template, elsewhere, { ports: false, purpose: 'live' })
    expect(findings.map(formatFinding).join()).toMatch(/contract\.ts .*no live source "elsewhere".*\n.*--replay FILE/)
  })

  it('can replay', async () => {
    const { findings, notes } = await checkWorkspace(template, elsewhere, { ports: false, purpose: 'replay' })
    expect([...findings, ...notes]).toEqual([])
  })
})

describe('a misspelt FEED_SOURCE', () => {
  it.each(['look', 'live', 'replay'] as const)(
    'is a finding with the near name, whatever the purpose: %s',
    async (purpose) => {
      const report = await checkWorkspace(template, { FEED_SOURCE: 'binanse' }, { ports: false, purpose })
      expect(report.findings.map(formatFinding)).toEqual([
        expect.stringMatching(/FEED_SOURCE: there is no live source "binanse"\n {2}fix: did you mean binance\?$/),
      ])
      expect(report.notes).toEqual([])
    },
  )
})

describe('a database server of the settings', () => {
  it('that is not running is reported, without its password', async () => {
    const environment = { DATABASE_URL: 'postgres://crunch:secret@127.0.0.1:1/crunch' }
    const { findings } = await checkWorkspace(template, environment, { ports: false, purpose: 'look' })
    const text = findings.map(formatFinding).join()
    expect(text).toContain('the database postgres://crunch:***@127.0.0.1:1/crunch cannot be used')
    expect(text).not.toContain('secret')
  })
})

describe('models', () => {
  let root: string

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-check-')))
    await mkdir(join(root, 'node'))
    await writeFile(join(root, 'node/contract.ts'), 'export default {}')
  })

  afterEach(() => rm(root, { recursive: true, force: true }))

  async function warnings(files: Readonly<Record<string, string>>, environment: Environment = {}): Promise<string> {
    const { modelsFile, submissionsDirectory } = findWorkspace(root)
    const ids = [...new Set(Object.keys(files).map((path) => path.split('/')[0]))]
    const models = ids.map((id) => ({ id, submission_id: id, desired_state: 'RUNNING' }))
    await mkdir(dirname(modelsFile), { recursive: true })
    await writeFile(modelsFile, JSON.stringify({ models }))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(submissionsDirectory, path)), { recursive: true })
      await writeFile(join(submissionsDirectory, path), text)
    }
    const options = { ports: false, purpose: 'replay' } as const
    const report = await checkWorkspace(findWorkspace(root), { PATH: process.env.PATH, ...environment }, options)
    return report.warnings.map(formatFinding).join('\n')
  }

  it('with invalid submissions are reported, each with place and cause', async () => {
    const text = await warnings({ 'good/main.js': '', 'empty/notes.txt': '', 'two/main.ts': '', 'two/main.py': '' })
    expect(text).toMatch(/models\.dev\.yml:1, model empty: .*has no main\.ts.*\n {2}fix: correct the submission/)
    expect(text).toMatch(/models\.dev\.yml:1, model two: .*both main\.ts and main\.py/)
    expect(text).not.toContain('model good')
  })

  it("of a participant with the name of a baseline is reported; the template's own belongs to the organizer", async () => {
    const options = { ports: false, purpose: 'replay' } as const
    const mine = { PATH: process.env.PATH, CRUNCH_ID: 'crunch-template' }
    expect((await checkWorkspace(template, mine, options)).warnings).toEqual([])
    const other = { ...mine, ORGANIZER_CRUNCHER_ID: 'host' }
    const { warnings: found } = await checkWorkspace(template, other, options)
    expect(found.map(formatFinding).join('\n')).toMatch(
      /models\.dev\.yml:\d+, model 3: "flat" is the name of a baseline, which only the organizer \(cruncher "host"\).*\n {2}fix: .*cruncher_id: host/,
    )
  })

  it('in Python need a Python interpreter', async () => {
    const none = { MODEL_ORCHESTRATOR_PYTHON: 'python-that-is-not-there' }
    expect(await warnings({ 'good/main.js': '' }, none)).toBe('')
    const text = await warnings({ 'good/main.js': '', 'snake/main.py': '' }, none)
    expect(text).toContain('python-that-is-not-there (MODEL_ORCHESTRATOR_PYTHON): there is no such program')
    expect(text).toContain('install Python 3.11 or newer')
    const old = join(root, 'old-python')
    await writeFile(old, '#!/bin/sh\necho 3.8\n', { mode: 0o755 })
    expect(await warnings({ 'snake/main.py': '' }, { MODEL_ORCHESTRATOR_PYTHON: old })).toContain('it is Python 3.8, ')
    const right = join(root, 'right-python')
    await writeFile(right, '#!/bin/sh\necho 3.11\n', { mode: 0o755 })
    expect(await warnings({ 'snake/main.py': '' }, { MODEL_ORCHESTRATOR_PYTHON: right })).toBe('')
  })
})

describe("the orchestrator's API", () => {
  const findings = async (environment: Environment) =>
    (await checkWorkspace(template, environment, { ports: false, purpose: 'replay' })).findings
      .map(formatFinding)
      .join()

  it('needs its own port', async () => {
    const text = await findings({ MODEL_ORCHESTRATOR_HTTP_PORT: '8000' })
    expect(text).toContain('REPORT_API_PORT, MODEL_ORCHESTRATOR_HTTP_PORT: both are 8000')
    expect(await findings({ REPORT_UI_PORT: '8000' })).toContain('REPORT_API_PORT, REPORT_UI_PORT: both are 8000')
  })
})

describe('the contract of a database with history', () => {
  let root: string
  let database: TestDatabase

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-check-era-')))
    database = await createTestDatabase()
  })

  afterEach(async () => {
    await database.drop()
    await rm(root, { recursive: true, force: true })
  })

  const name = 'crunch-template'
  const same = (text: string) => text
  const changed = (text: string) =>
    text
      .replace("direction: 'desc'", "direction: 'asc'")
      .replace("windows: { recent: '24h'", "windows: { recent: '12h'")

  /** A workspace with an edited contract of the template. Each has its own folder, because modules are cached. */
  async function workspaceWith(edit: (text: string) => string): Promise<Workspace> {
    const folder = await mkdtemp(join(root, 'workspace-'))
    await mkdir(join(folder, 'node'))
    await writeFile(join(folder, 'node/contract.ts'), edit(await readFile(template.contractPath, 'utf8')))
    await symlink(join(template.nodeDirectory, 'node_modules'), join(folder, 'node/node_modules'))
    return { ...findWorkspace(folder), modelsFile: template.modelsFile }
  }

  async function look(
    edit: (text: string) => string,
    options: Partial<CheckOptions> = {},
    crunchId = name,
    others: Environment = {},
  ) {
    const workspace = await workspaceWith(edit)
    const environment = { PATH: process.env.PATH, CRUNCH_ID: crunchId, DATABASE_URL: database.url, ...others }
    const { findings } = await checkWorkspace(workspace, environment, { ports: false, purpose: 'look', ...options })
    return { contractPath: workspace.contractPath, findings, text: findings.map(formatFinding).join('\n') }
  }

  /** Creates the first era of a database, like the start of a node. */
  async function enter(url = database.url): Promise<void> {
    const { contractPath } = await workspaceWith(same)
    const environment = { CRUNCH_ID: name }
    const contract = await loadNodeContract(contractPath, environment)
    const store = await openStore({ url })
    try {
      await confirmNewEra({ store, contract, contractPath, environment })
    } finally {
      await store.close()
    }
  }

  it('is compared completely; each difference names both sides and the fix', async () => {
    await enter()
    const { contractPath, findings, text } = await look(changed)
    expect(findings).toHaveLength(2)
    expect(text).toContain(`${contractPath} (leaderboard.direction): "desc" in the database since 20`)
    expect(text).toContain('Z, "asc" in the contract\n  fix: undo the change')
    expect(text).toContain(`${contractPath} (leaderboard.windows.recent): "1d" in the database since 20`)
    expect(text).toContain('confirm a new era: crunch deploy --new-era')
    expect((await look(same)).findings).toEqual([])
  })

  it('includes the organizer: a change names both and needs a new era', async () => {
    await enter()
    const host = { ORGANIZER_CRUNCHER_ID: 'host' }
    expect((await look(same, {}, name, host)).text).toMatch(
      /\(ORGANIZER_CRUNCHER_ID\): "organizer" in the database since 20\S+Z, "host" in the settings\n {2}fix: .*crunch deploy --new-era/,
    )
    expect((await look(same, { purpose: 'live', newEra: true }, name, host)).text).not.toContain('in the database')
  })

  it('of another competition names both competitions; a change confirmed with --new-era is not a finding', async () => {
    await enter()
    expect((await look(same, {}, 'other')).text).toMatch(
      /name or CRUNCH_ID\): this database belongs to the competition "crunch-template" \(CRUNCH_ID crunch-template\)/,
    )
    expect((await look(changed, { purpose: 'live' })).text).toContain('leaderboard.direction')
    expect((await look(changed, { purpose: 'live', newEra: true })).text).toBe('')
    // A replay has its own database.
    expect((await look(changed, { purpose: 'replay' })).text).toBe('')
  })

  it('is read by starting the embedded server, which is stopped again', { timeout: 60_000 }, async () => {
    const workspace = await workspaceWith(changed)
    const directory = liveDatabaseDirectory(workspace)
    // As root, the server runs as another user, who needs access to its data.
    for (const folder of [root, join(workspace.nodeDirectory, '..')]) await chmod(folder, 0o755)
    await mkdir(workspace.stateDirectory)
    const environment = { PATH: process.env.PATH, CRUNCH_ID: name }
    const findings = async () => {
      const report = await checkWorkspace(workspace, environment, { ports: false, purpose: 'look' })
      return report.findings.map(formatFinding).join('\n')
    }
    try {
      expect(await findings()).toBe('')
      expect(existsSync(directory)).toBe(false)
      const server = await embeddedDatabase.start({ directory, fsync: false })
      await enter(server.url)
      await server.stop()
      expect(await findings()).toContain('(leaderboard.direction): "desc" in the database')
      expect(await embeddedDatabase.stop(directory)).toBeUndefined()
    } finally {
      await embeddedDatabase.remove(directory)
    }
  })
})
