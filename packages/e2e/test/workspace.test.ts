import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Node, openNode } from '../src/deployment.ts'
import { changeContract, keepModels, recordedWeather, shortenRecording, writeWeather } from '../src/edit-workspace.ts'
import { processesOf } from '../src/processes.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// A workspace as its owner uses it: the commands of its README, their output and exit codes.

let workspace: UserWorkspace
let node: Node
beforeAll(async () => {
  workspace = await takeTestWorkspace('weather')
  node = await openNode(workspace)
})
afterAll(() => workspace?.remove())

test('a new weather workspace passes its own tests', async () => {
  const { exitCode, all } = await execa('npm', ['test'], { cwd: workspace.directory, reject: false, all: true })
  expect(exitCode, all).toBe(0)
  expect(all).toMatch(/Tests\s+.*\d+ passed/)
})

describe('crunch check', () => {
  test.each(['weather', 'realtime'] as const)('has no findings in a new %s workspace', async (pack) => {
    const other = pack === 'weather' ? undefined : await takeTestWorkspace(pack)
    try {
      const { exitCode, stdout, stderr } = await (other === undefined ? node : await openNode(other)).crunch(['check'])
      expect(stdout, stderr).toContain('Contract, settings, database and models are valid; ports are free.')
      expect(exitCode).toBe(0)
    } finally {
      await other?.remove()
    }
  })

  test('names the place, the cause and the fix of every mistake; deploy then starts nothing', async () => {
    const contractPath = join(node.directory, 'node/contract.ts')
    const contract = await readFile(contractPath, 'utf8')
    await changeContract(node.directory, [
      ["timeout: '10s'", "timout: '10s'"],
      ["rankBy: 'anchor'", "rankBy: 'yearly'"],
      ["horizon: '1d' }", "horizon: '1h' }"],
    ])
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(node.apiPort, '127.0.0.1', resolve))
    try {
      const checked = await node.crunch(['check'])
      const deployed = await node.crunch(['deploy', '--replay', '--detach'])
      for (const [exitCode, text] of [
        [checked.exitCode, checked.stdout],
        [deployed.exitCode, deployed.stderr],
      ]) {
        expect(exitCode).toBe(1)
        expect(text).toContain(contractPath)
        expect(text).toMatch(/prediction\.timout: .*did you mean timeout\?/)
        expect(text).toMatch(/leaderboard\.rankBy: .*anchor/)
        expect(text).toMatch(/prediction\.schedule.*horizon: .*1d/)
        expect(text).toContain(`port ${node.apiPort} (REPORT_API_PORT): it is in use by`)
        expect(text).toContain('fix: end that program, or choose another port with REPORT_API_PORT=')
        if (process.platform === 'linux') expect(text).toContain(`process ${process.pid} `)
      }
      expect(deployed.stderr).toContain('Nothing was started.')
      expect(await processesOf(node.directory)).toEqual([])
    } finally {
      await new Promise((resolve) => server.close(resolve))
      await writeFile(contractPath, contract)
    }
  })
})

describe('a deployment in the background', () => {
  // Enough for a leaderboard: the whole recording would be replayed while the tests run.
  beforeAll(() => shortenRecording(node.directory, 120))

  test('starts, ranks the models and shows its state and logs', async () => {
    const nothing = await node.crunch(['status'])
    expect([nothing.exitCode, nothing.stdout]).toEqual([0, 'Not deployed. Start it with: crunch deploy'])

    const deployed = await node.crunch(['deploy', '--replay', '--detach', '--speed', 'max'])
    expect(deployed.exitCode, deployed.stderr).toBe(0)
    expect(deployed.stdout).toContain(`Report API: http://127.0.0.1:${node.apiPort}/reports/leaderboard`)
    expect(deployed.stdout).toContain('It runs in the background: crunch status, crunch logs -f, crunch down')
    const twice = await node.crunch(['deploy', '--replay', '--detach'])
    expect(twice.exitCode).toBe(1)
    expect(twice.stderr).toContain('crunch down')

    await until('a leaderboard', 120_000, async () => {
      const rows = await node.api('/reports/leaderboard')
      return Array.isArray(rows) && rows.length === 5
    })
    const leaderboard = await node.crunch(['leaderboard'])
    expect(leaderboard.exitCode).toBe(0)
    for (const model of ['persistence', 'climatology', 'seven-day-mean', 'trend', 'overconfident']) {
      expect(leaderboard.stdout).toContain(model)
    }

    const status = await node.crunch(['status'])
    expect(status.exitCode).toBe(0)
    for (const service of ['postgres', 'models', 'score', 'report', 'predict']) {
      expect(status.stdout).toMatch(new RegExp(`${service}\\s.*ready`))
    }
    expect(status.stdout).toContain('models (5): persistence')

    const logs = await node.crunch(['logs', 'score', '-n', '1000'])
    expect(logs.exitCode).toBe(0)
    expect(logs.stdout).toContain('all workers are ready')
    expect(logs.stdout).toContain('rounds were settled')
    const noSuchLog = await node.crunch(['logs', 'scores'])
    expect(noSuchLog.exitCode).toBe(1)
    expect(noSuchLog.stderr).toContain('score')
  })

  test('gives a restarted service a new process', async () => {
    const before = (await node.services()).score
    const restarted = await node.crunch(['restart', 'score'])
    expect([restarted.exitCode, restarted.stdout]).toEqual([0, 'score is restarting; see crunch status'])
    await until('the restarted service to serve', 120_000, async () => (await node.services()).score?.state === 'ready')
    const after = await node.services()
    expect(after.score?.pid).not.toBe(before?.pid)
    expect(after.score?.restarts).toBe((before?.restarts ?? 0) + 1)
    const unknown = await node.crunch(['restart', 'scorer'])
    expect(unknown.exitCode).toBe(1)
    expect(unknown.stderr).toContain('postgres, models, score, report, predict')
  })

  test('is taken down and leaves no process', async () => {
    expect((await processesOf(node.directory)).length).toBeGreaterThan(8)
    const down = await node.crunch(['down'])
    expect([down.exitCode, down.stdout]).toEqual([0, 'Every process of the deployment has ended.'])
    expect(await processesOf(node.directory)).toEqual([])
    const again = await node.crunch(['down'])
    expect([again.exitCode, again.stdout]).toEqual([0, 'Nothing runs here.'])
    const restart = await node.crunch(['restart', 'score'])
    expect(restart.exitCode).toBe(1)
    expect(restart.stderr).toContain('crunch deploy')
  })

  test('of a recording with a broken row ends with its line number', async () => {
    await keepModels(node.directory, ['climatology'])
    const lines = [...(await recordedWeather(node.directory, 60))]
    // The file begins with a header.
    lines[98] = (lines[98] ?? '').replace(/,[^,]*,([^,]*),([^,]*)$/, ',warm,$1,$2')
    const recording = await writeWeather(node.directory, 'broken.csv', lines)
    for (const command of [
      ['simulate', '--recording', recording],
      ['deploy', '--replay', recording, '--once'],
    ]) {
      const { exitCode, stdout, stderr } = await node.crunch(command)
      expect([command[0], exitCode]).toEqual([command[0], 1])
      expect(`${stdout}${stderr}`).toMatch(/broken\.csv.*line 100|broken\.csv:100/)
    }
    expect(await processesOf(node.directory)).toEqual([])
  })
})
