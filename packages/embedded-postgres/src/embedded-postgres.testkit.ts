import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import postgres from 'postgres'
import { type EmbeddedPostgresOptions, removeEmbeddedPostgres } from './start-embedded-postgres.ts'

/** The output of a child process about its start. */
export interface ChildOutcome {
  readonly url?: string
  readonly port?: number
  readonly pid?: number
  readonly attached?: boolean
  readonly code?: string
  readonly message?: string
  readonly lines: readonly string[]
}

/** The directories and child processes of one test; `cleanUp` ends and removes them. */
export function createWorkbench() {
  const folders: string[] = []
  const directories: string[] = []
  const children: ChildProcess[] = []

  async function newFolder(): Promise<string> {
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'crunch-embedded-'))
    folders.push(folder)
    // Readable for the unprivileged user that runs root's server, like a usual project folder.
    await chmod(folder, 0o755)
    return folder
  }

  /** A directory for a database; its server is stopped by `cleanUp`. */
  async function newDirectory(parent?: string): Promise<string> {
    const directory = join(parent ?? (await newFolder()), 'database')
    directories.push(directory)
    return directory
  }

  function spawnChild(options: EmbeddedPostgresOptions, spawnOptions: SpawnOptions = {}): ChildProcess {
    return spawnScript('start-in-child.mjs', [JSON.stringify(options)], spawnOptions)
  }

  /** Runs a file of this folder as a process, TypeScript through tsx; `cleanUp` kills it if it still runs. */
  function spawnScript(
    name: string,
    scriptArguments: readonly string[],
    spawnOptions: SpawnOptions = {},
  ): ChildProcess {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
    const loader = name.endsWith('.ts') ? ['--import', tsx] : []
    const script = fileURLToPath(new URL(`./${name}`, import.meta.url))
    const child = spawn(process.execPath, [...loader, script, ...scriptArguments], {
      cwd: '/',
      ...spawnOptions,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }

  async function cleanUp(): Promise<void> {
    for (const child of children) await endChild(child, 'SIGKILL')
    for (const directory of directories) {
      await removeEmbeddedPostgres(directory)
    }
    for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  return { newFolder, newDirectory, spawnChild, spawnScript, cleanUp }
}

/** Reads the line that a child writes after its start. */
export async function outcomeOf(child: ChildProcess): Promise<ChildOutcome> {
  if (child.stdout === null) throw new Error('the child has no standard output')
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line)
  throw new Error('the child ended without an outcome')
}

/** Ends a child by a signal or by closing its input, and waits for its exit. */
export async function endChild(child: ChildProcess, how: 'SIGKILL' | 'end of input'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (how === 'SIGKILL') child.kill('SIGKILL')
  else child.stdin?.end()
  await exited
}

/** Runs `action` with a connection and closes it. */
export async function withSql<T>(url: string, action: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await action(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
