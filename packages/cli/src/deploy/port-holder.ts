import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { processCommand, systemErrorCode, whenMissing } from '@crunch/local-processes'

const connectLimitMs = 1_000

/** Whether a port is free. If not: the program that uses it, if known, or why this user may not listen on it. */
export type PortState =
  | { readonly state: 'free' }
  | { readonly state: 'taken'; readonly pid: number | null; readonly holder: string }
  | { readonly state: 'forbidden'; readonly reason: string }

/** Listens on a port briefly, and also connects to it: some systems let two programs listen on one port. */
export async function portState(port: number): Promise<PortState> {
  const code = await listenOnce(port)
  if (code !== undefined && code !== 'EADDRINUSE') return { state: 'forbidden', reason: code }
  if (code === undefined && !(await answers(port))) return { state: 'free' }
  const pid = findHolder(port)
  if (pid === undefined) return { state: 'taken', pid: null, holder: 'another program' }
  return { state: 'taken', pid, holder: `process ${pid} (${processCommand(pid) ?? 'unknown program'})` }
}

function listenOnce(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(systemErrorCode(error) ?? error.message))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)))
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const finish = (isAnswered: boolean): void => {
      socket.destroy()
      resolve(isAnswered)
    }
    socket.setTimeout(connectLimitMs, () => finish(false))
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}

/** The process that listens on a port, from /proc; undefined on other systems and for other users' processes. */
function findHolder(port: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  const inodes = new Set([...listeningInodes('/proc/net/tcp', port), ...listeningInodes('/proc/net/tcp6', port)])
  if (inodes.size === 0) return undefined
  for (const name of readDirectory('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const holds = readDirectory(`/proc/${name}/fd`).some((descriptor) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${name}/fd/${descriptor}`))?.[1]
      return inode !== undefined && inodes.has(inode)
    })
    if (holds) return Number(name)
  }
  return undefined
}

/** Columns of the table: number, local address:port in hexadecimal, remote, state (0A: listening), ...; the tenth is the inode. */
function listeningInodes(table: string, port: number): readonly string[] {
  const portText = port.toString(16).toUpperCase().padStart(4, '0')
  return orIfHidden(() => readFileSync(table, 'utf8'), '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${portText}`) && columns[3] === '0A')
    .map((columns) => columns[9] ?? '')
}

function readDirectory(path: string): readonly string[] {
  return orIfHidden(() => readdirSync(path), [])
}

function readLink(path: string): string {
  return orIfHidden(() => readlinkSync(path), '')
}

/** Empty for a process that has ended or belongs to another user. */
function orIfHidden<Value>(read: () => Value, hidden: Value): Value {
  try {
    return read()
  } catch (error) {
    return whenMissing(hidden, ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])(error)
  }
}
