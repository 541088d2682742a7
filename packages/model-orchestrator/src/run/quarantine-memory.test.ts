import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startInWorkspace, useWorkspace } from '../../test/start-in-workspace.ts'
import { rememberingLog, until } from '../../test/workspace.ts'
import type { Orchestrator } from '../start-orchestrator.ts'
import { endQuarantine, quarantineFileIn } from './quarantine-memory.ts'

const { space } = useWorkspace()
let orchestrator: Orchestrator | undefined
let quarantineFile: string
const log = rememberingLog()

beforeEach(() => {
  quarantineFile = join(space.root, 'quarantine.json')
})
afterEach(() => orchestrator?.close())

/** Stops the running orchestrator and starts the next one. */
async function start(): Promise<Orchestrator> {
  await orchestrator?.close()
  const restart = { initialDelayMs: 10, maxDelayMs: 50, maxQuickFailures: 2 }
  orchestrator = await startInWorkspace(space, { log, restart, quarantineFile })
  await orchestrator.settled()
  return orchestrator
}
const entry = (desired = 'RUNNING') => ({ id: '1', submission_id: 'bad', desired_state: desired })
const status = () => {
  const [found] = orchestrator?.models() ?? []
  if (!found) throw new Error('no model')
  return found
}

describe('quarantine', () => {
  it('survives a restart until the code or the desired state changes', async () => {
    await space.submission('bad', "console.error('missing weights'); process.exit(3)")
    await space.models([entry()])
    await start()
    await until('quarantine', () => status().quarantined)
    const { lastFailure } = status()
    await start()
    expect(status()).toMatchObject({ state: 'FAILED', quarantined: true, latestDeploymentId: null, lastFailure })

    await space.submission('bad', "console.error('still missing'); process.exit(4)")
    await start()
    expect(status().latestDeploymentId).not.toBeNull()
    await until('quarantine', () => status().quarantined)
    expect(status().lastFailure?.reason).toContain('still missing')

    await space.models([entry('STOPPED')])
    await until('the change', () => status().state === 'STOPPED')
    await space.models([entry()])
    await until('a new run', () => status().latestDeploymentId !== null && status().quarantined)
    const tried = status().latestDeploymentId
    expect(orchestrator?.retry('9')).toBe(false)
    expect(orchestrator?.retry('1')).toBe(true)
    await until('another try', () => status().latestDeploymentId !== tried)
    await until('quarantine', () => status().quarantined)

    await writeFile(quarantineFile, '{"models": [')
    await start()
    expect(log.lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('cannot be read') }))
    expect(status().latestDeploymentId).not.toBeNull()
  })

  it('can be lifted while no orchestrator runs', async () => {
    quarantineFile = quarantineFileIn(space.root)
    await space.submission('bad', 'process.exit(3)')
    await space.models([entry()])
    await start()
    await until('quarantine', () => status().quarantined)
    await orchestrator?.close()
    endQuarantine(space.root, '9', log)
    await start()
    expect(status().latestDeploymentId).toBeNull()
    await orchestrator?.close()
    endQuarantine(space.root, '1', log)
    await start()
    expect(status().latestDeploymentId).not.toBeNull()
  })

  it('ends with the orchestrator if the build failed, since the cause may be outside the submission', async () => {
    await space.models([entry()])
    await start()
    expect(status()).toMatchObject({ quarantined: true, lastFailure: { code: 'BUILD_FAILED' } })
    const { latestDeploymentId } = status()
    await start()
    expect(status().latestDeploymentId).not.toBe(latestDeploymentId)
    expect(status().latestDeploymentId).not.toBeNull()
  })
})
