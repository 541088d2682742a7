import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withDirectoryLock } from '@crunch/local-processes'
import { execa } from 'execa'
import { endDeployment } from './deployment.ts'
import { createUserWorkspace, linkFolder, type Pack, type UserWorkspace } from './workspace.ts'

/** Time limit for packing and installing on a busy machine. */
const scaffoldLimitMs = 240_000
const packs: readonly Pack[] = ['weather', 'realtime']

/**
 * A user's workspace for one test file. Packing and installing takes half a minute, so it is done once per test run and
 * pack; every file gets a copy that it may change. `remove` ends processes that still run in it.
 */
export async function takeTestWorkspace(pack: Pack): Promise<UserWorkspace> {
  const original = await scaffoldedOnce(pack)
  const folder = await mkdtemp(join(tmpdir(), 'crunch-e2e-copy-'))
  const directory = join(folder, `e2e-${pack}`)
  await copyWorkspace(original, directory)
  return {
    directory,
    crunch: join(directory, 'node_modules/.bin/crunch'),
    async remove() {
      await endDeployment(directory)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The workspace that all files of this test run copy. Files run concurrently; the first one creates it. */
async function scaffoldedOnce(pack: Pack): Promise<string> {
  const folder = await runFolder()
  const directory = join(folder, `e2e-${pack}`)
  const complete = join(folder, `${pack}.complete`)
  await withDirectoryLock(folder, scaffoldLimitMs, async () => {
    if (existsSync(complete)) return
    await rm(directory, { recursive: true, force: true })
    const other = packs.find((name) => existsSync(join(folder, `${name}.complete`)))
    const installed = other && join(folder, `e2e-${other}`, 'node_modules')
    await createUserWorkspace(pack, `e2e-${pack}`, { parent: folder, ...(installed && { installed }) })
    await writeFile(complete, '')
  })
  return directory
}

/** Hard-links the installed packages, 200 MB of files that no test modifies, and copies the rest. */
async function copyWorkspace(original: string, directory: string): Promise<void> {
  await mkdir(directory)
  for (const name of await readdir(original)) {
    const [from, to] = [join(original, name), join(directory, name)]
    if (name === 'node_modules') await linkFolder(from, to)
    else await execa('cp', ['-a', from, to])
  }
}

/** A folder that exists for the whole test run, in which each file has its own process. */
async function runFolder(): Promise<string> {
  const { stdout } = await execa('ps', ['-o', 'lstart=', '-p', `${process.ppid}`])
  const started = createHash('sha256').update(stdout).digest('hex').slice(0, 8)
  const folder = join(tmpdir(), `crunch-e2e-${process.ppid}-${started}`)
  // Undefined if another file has created it.
  if ((await mkdir(folder, { recursive: true })) !== undefined) removeAfter(process.ppid, folder)
  return folder
}

/** Starts a process that removes a folder when another process has ended. */
function removeAfter(pid: number, folder: string): void {
  const program = `
    const { rmSync } = require('node:fs')
    const [pid, folder] = process.argv.slice(1)
    setInterval(() => {
      try {
        process.kill(Number(pid), 0)
      } catch {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
        process.exit(0)
      }
    }, 500)`
  spawn(process.execPath, ['-e', program, String(pid), folder], { detached: true, stdio: 'ignore' }).unref()
}
