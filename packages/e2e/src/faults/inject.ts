import { embeddedPostgresStatus, stopEmbeddedPostgres } from '@crunch/embedded-postgres'
import type { SocketProxy } from '../../../coordinator-node/test/socket-proxy.ts'
import {
  killHard,
  modelPids,
  processTable,
  servicePid,
  signalAll,
  supervisorPid,
  withDescendants,
} from '../processes.ts'
import { until } from '../until.ts'
import type { Fault } from './fault-plan.ts'
import type { LiveNode } from './live-node.ts'

/** The result of a fault: `detail` names the affected process; `undefined` if there was no target. */
export interface Injected {
  readonly detail: string | undefined
  end(): Promise<void>
}

type Inject = (live: LiveNode, fault: Fault, random: () => number) => Promise<Injected>

const nothing = async () => {}
const redeployLimitMs = 60_000

const injections: Readonly<Record<Fault['kind'], Inject>> = {
  async kill(live, { target }, random) {
    const pid = await pidOf(live, target, random)
    const isKilled = pid !== undefined && killHard(pid)
    return {
      detail: isKilled ? `process ${pid}` : undefined,
      end: target === 'supervisor' ? () => redeploy(live) : nothing,
    }
  },
  async pause(live, { target }, random) {
    const pid = target === 'database' ? await databasePid(live) : await pidOf(live, target, random)
    if (pid === undefined) return { detail: undefined, end: nothing }
    const pids = target === 'database' || target === 'model' ? withDescendants(pid, await processTable()) : [pid]
    signalAll(pids, 'SIGSTOP')
    return { detail: `processes ${pids.join(', ')}`, end: async () => signalAll(pids, 'SIGCONT') }
  },
  async 'kill-database'(live) {
    const pid = await databasePid(live)
    live.outages.count += 1
    const isKilled = pid !== undefined && killHard(pid)
    return { detail: isKilled ? `process ${pid}` : undefined, end: () => endOutage(live) }
  },
  async 'stop-database'(live) {
    live.outages.count += 1
    await stopEmbeddedPostgres(live.databaseDirectory)
    return { detail: 'the server', end: () => endOutage(live) }
  },
  async 'terminate-sessions'({ sql }, { target }, random) {
    try {
      const sessions = await sql<{ pid: number }[]>`
        select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        order by backend_start, pid`
      const ended = target === 'all' ? sessions : sessions.slice(Math.floor(random() * sessions.length)).slice(0, 1)
      for (const { pid } of ended) await sql`select pg_terminate_backend(${pid})`
      return {
        detail: ended.length === 0 ? undefined : `sessions ${ended.map(({ pid }) => pid).join(', ')}`,
        end: nothing,
      }
    } catch {
      // The database is down because of another fault.
      return { detail: undefined, end: nothing }
    }
  },
  'cut-client': (live, fault, random) => atProxy(live, fault, random, (proxy) => proxy.cut('client')),
  'cut-server': (live, fault, random) => atProxy(live, fault, random, (proxy) => proxy.cut('server')),
  'cut-both': (live, fault, random) => atProxy(live, fault, random, (proxy) => proxy.cut('both')),
  hold: (live, fault, random) => atProxy(live, fault, random, (proxy) => proxy.hold()),
  async clock(live, { target }) {
    await live.setClock(target)
    return { detail: target, end: () => live.setClock('+0') }
  },
}

export const injectFault: Inject = (live, fault, random) => injections[fault.kind](live, fault, random)

/** Of overlapping outages, the last one to end starts the server. An outage may begin while the server is starting. */
async function endOutage(live: LiveNode): Promise<void> {
  live.outages.count -= 1
  if (live.outages.count > 0) return
  try {
    await live.startDatabase()
  } catch (error) {
    if (live.outages.count === 0) throw error
  }
}

async function atProxy(
  { proxies }: LiveNode,
  { target }: Fault,
  random: () => number,
  fail: (proxy: SocketProxy) => void,
): Promise<Injected> {
  const proxy = await proxyOf(proxies, target, random)
  if (proxy === undefined) return { detail: undefined, end: nothing }
  fail(proxy)
  return { detail: target, end: async () => proxy.release() }
}

async function proxyOf({ database, discovery, models }: LiveNode['proxies'], target: string, random: () => number) {
  if (target === 'model') return models.pick(random)
  return target === 'database' ? database : discovery
}

async function pidOf(live: LiveNode, target: string, random: () => number): Promise<number | undefined> {
  const { directory } = live.node
  if (target === 'supervisor') return supervisorPid(directory)
  if (target !== 'model' && target !== 'backend') return servicePid(directory, target)
  const pids = target === 'model' ? await modelPids(directory) : await backendPids(live)
  return pids[Math.floor(random() * pids.length)]
}

async function databasePid({ databaseDirectory }: LiveNode): Promise<number | undefined> {
  const status = await embeddedPostgresStatus(databaseDirectory)
  return status.state === 'running' ? status.pid : undefined
}

/** The server processes that serve sessions of the node. */
async function backendPids(live: LiveNode): Promise<readonly number[]> {
  const server = await databasePid(live)
  const table = await processTable()
  return table
    .filter(({ parentPid, command }) => parentPid === server && /^postgres: \S+ crunch /.test(command))
    .map(({ pid }) => pid)
}

/** Restarts a deployment whose supervisor was killed, as an operator would. */
async function redeploy(live: LiveNode): Promise<void> {
  let refusal: unknown
  await until('a deployment that can be started again', redeployLimitMs, async () => {
    try {
      await live.deploy()
      return true
    } catch (error) {
      refusal = error
      return false
    }
  }).catch((error: unknown) => {
    throw new Error(String(error), { cause: refusal })
  })
}
