import { setTimeout } from 'node:timers/promises'
import { isDatabaseAway, type Node } from './deployment.ts'
import { killHard, modelPids, postmasterPid, servicePid, supervisorPid } from './processes.ts'

/** Targets of a kill. `database-keeper` is the process that runs the server; `everything` is the supervisor. */
export const victims = ['predict', 'score', 'report', 'orchestrator', 'model', 'database', 'database-keeper'] as const
export type Victim = (typeof victims)[number] | 'everything'

const progressLimitMs = 3_000
const pollMs = 50

/**
 * Kills random processes of a replay, one after the other, each after the replay has made progress or `progressLimitMs` have
 * passed. Once, halfway, kills the whole deployment, which is then resumed.
 */
export async function killRandomly(node: Node, count: number, random: () => number, resume: () => Promise<void>) {
  const killed: Victim[] = []
  while (killed.length < count) {
    const before = await watermark(node)
    if (killed.length === Math.floor(count / 2)) {
      await killSupervisor(node)
      killed.push('everything')
      await resume()
    } else {
      const victim = await killOne(node, random)
      if (victim !== undefined) killed.push(victim)
    }
    await progressSince(node, before)
  }
  return killed
}

/** Undefined when the chosen process does not run at the moment. */
async function killOne(node: Node, random: () => number): Promise<Victim | undefined> {
  const victim = victims[Math.floor(random() * victims.length)] ?? 'predict'
  const pid = await pidOf(node, victim, random)
  return pid !== undefined && killHard(pid) ? victim : undefined
}

async function pidOf({ directory }: Node, victim: (typeof victims)[number], random: () => number) {
  switch (victim) {
    case 'model': {
      const pids = await modelPids(directory)
      return pids[Math.floor(random() * pids.length)]
    }
    case 'database':
      return postmasterPid(directory)
    case 'database-keeper':
      return servicePid(directory, 'postgres')
    case 'orchestrator':
      return servicePid(directory, 'models')
    default:
      return servicePid(directory, victim)
  }
}

async function killSupervisor({ directory }: Node): Promise<void> {
  const pid = await supervisorPid(directory)
  if (pid === undefined || !killHard(pid)) throw new Error(`the supervisor ${pid} had ended by itself`)
}

async function progressSince(node: Node, before: number | undefined): Promise<void> {
  const deadlineMs = performance.now() + progressLimitMs
  while (performance.now() < deadlineMs) {
    const now = await watermark(node)
    if (now !== undefined && now > (before ?? 0)) return
    await setTimeout(pollMs)
  }
}

/** Progress of the replay; undefined while the database is down, as it is after some kills. */
function watermark(node: Node): Promise<number | undefined> {
  return unlessAway(async () => {
    const sql = await node.database()
    try {
      const [row] = await sql<{ at: number | null }[]>`select max(watermark_at) as at from feed_ingestion_state`
      return row?.at ?? undefined
    } finally {
      await sql.end({ timeout: 1 })
    }
  })
}

/** The result of `read`; undefined while the database is down. */
export async function unlessAway<Found>(read: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isDatabaseAway(error)) return undefined
    throw error
  }
}
