import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from '../../../../../test/free-port.ts'

/** Path of the program; `undefined` if it is not installed. `.ci/run` installs it. */
export const pgbouncer = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find((path) => existsSync(path))

export interface PgBouncer {
  /** The URL of the database, through the pooler. */
  readonly url: string
  close(): Promise<void>
}

/** Starts a pooler in front of a database. `settings` are lines of its configuration. */
export async function startPgBouncer(databaseUrl: string, settings: readonly string[]): Promise<PgBouncer> {
  if (pgbouncer === undefined) throw new Error('pgbouncer is not installed: apt-get install pgbouncer')
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  const folder = await mkdtemp(join(tmpdir(), 'crunch-pgbouncer-'))
  // pgbouncer refuses to run as root, so another user is used.
  await chmod(folder, 0o755)
  const ownPort = await freePort()
  const database = pathname.slice(1)
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(
    file,
    [
      '[databases]',
      `${database} = host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}`,
      '[pgbouncer]',
      ...['listen_addr = 127.0.0.1', `listen_port = ${ownPort}`, 'auth_type = any', 'unix_socket_dir ='],
      ...settings,
      '',
    ].join('\n'),
  )
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const program = spawn(pgbouncer, [...user, file], { stdio: 'ignore' })
  await accepts(ownPort, program)
  const url = new URL(databaseUrl)
  url.port = `${ownPort}`
  return {
    url: url.href,
    async close() {
      if (program.exitCode === null && program.signalCode === null) {
        const exited = once(program, 'exit')
        program.kill('SIGKILL')
        await exited
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function accepts(port: number, program: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (program.exitCode !== null) throw new Error(`pgbouncer ended with ${program.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      // It does not listen yet.
      await new Promise((resolve) => setTimeout(resolve, 25))
    } finally {
      socket.destroy()
    }
  }
  throw new Error('pgbouncer did not listen within 10 s')
}
