import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { execa } from 'execa'

/** A line of the process table. */
export interface ProcessRow {
  readonly pid: number
  readonly parentPid: number
  readonly command: string
}

/** All processes except zombies. */
export async function processTable(): Promise<readonly ProcessRow[]> {
  const { stdout } = await execa('ps', ['-ww', '-A', '-o', 'pid=,ppid=,stat=,args='])
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parentPid, state = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined || state.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parentPid: Number(parentPid), command }]
  })
}

/** The processes that name a workspace in their command line, and the server of its replays. */
export async function processesOf(workspaceDirectory: string): Promise<readonly ProcessRow[]> {
  const table = await processTable()
  const server = await postmasterPid(workspaceDirectory)
  return table.filter(({ pid, command }) => {
    if (pid === process.pid || command.startsWith('ps ')) return false
    return command.includes(workspaceDirectory) || (pid === server && command.includes('postgres'))
  })
}

/** The PostgreSQL server of a workspace's replays; undefined when none is known. */
export async function postmasterPid(workspaceDirectory: string): Promise<number | undefined> {
  const path = join(workspaceDirectory, 'node/.crunch/replay-postgres/data/postmaster.pid')
  const pid = Number((await readFile(path, 'utf8').catch(whenMissing(undefined)))?.split('\n')[0])
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined
}

/** The process of a service, as recorded by its supervisor. */
export async function servicePid(workspaceDirectory: string, service: string): Promise<number | undefined> {
  const text = await readFile(join(workspaceDirectory, 'node/.crunch/pids', `${service}.json`), 'utf8').catch(
    whenMissing(undefined),
  )
  return text === undefined ? undefined : (JSON.parse(text) as { pid: number }).pid
}

/** The process that supervises a workspace. */
export async function supervisorPid(workspaceDirectory: string): Promise<number | undefined> {
  const text = await readFile(join(workspaceDirectory, 'node/.crunch/supervisor.json'), 'utf8').catch(
    whenMissing(undefined),
  )
  return text === undefined ? undefined : (JSON.parse(text) as { pid: number }).pid
}

/** The processes of the models, hosted by the orchestrator of a workspace. */
export async function modelPids(workspaceDirectory: string): Promise<readonly number[]> {
  const orchestrator = await servicePid(workspaceDirectory, 'models')
  const table = await processTable()
  return table
    .filter(({ parentPid, command }) => parentPid === orchestrator && command.includes('--code-directory'))
    .map(({ pid }) => pid)
}

/** A process and all its living descendants. */
export function withDescendants(pid: number, table: readonly ProcessRow[]): readonly number[] {
  const children = table.filter(({ parentPid }) => parentPid === pid)
  return [pid, ...children.flatMap((child) => withDescendants(child.pid, table))]
}

/** Stops processes (SIGSTOP) or continues them. Ended processes are ignored. */
export function signalAll(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) send(pid, name)
}

/** Kills a process with SIGKILL; false if it has already ended. */
export function killHard(pid: number): boolean {
  return send(pid, 'SIGKILL')
}

function send(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
