import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { endDeployment } from './deployment.ts'
import { createUserWorkspace, type Pack, type UserWorkspace } from './workspace.ts'

/**
 * A user's workspace of its own for one test file. Packing and installing take half a minute, so this is done once a test
 * run for each pack; every file then gets a copy, to change as it likes. `remove` ends what still runs in it.
 */
export async function takeTestWorkspace(pack: Pack): Promise<UserWorkspace> {
  const original = await scaffoldedOnce(pack)
  const folder = await mkdtemp(join(tmpdir(), 'crunch-e2e-copy-'))
  const directory = join(folder, `e2e-${pack}`)
  await execa('cp', ['-a', original, directory])
  return {
    directory,
    crunch: join(directory, 'node_modules/.bin/crunch'),
    async remove() {
      await endDeployment(directory)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The folder of the workspace that all files of this test run copy. */
async function scaffoldedOnce(pack: Pack): Promise<string> {
  const folder = await runFolder()
  const directory = join(folder, `e2e-${pack}`)
  const complete = join(folder, `${pack}.complete`)
  if (existsSync(complete)) return directory
  await rm(directory, { recursive: true, force: true })
  await createUserWorkspace(pack, `e2e-${pack}`, undefined, folder)
  await writeFile(complete, await readFile(join(directory, 'package.json')))
  return directory
}

/** A folder that lives as long as the test run: test files run one after the other, each in a process of its own. */
async function runFolder(): Promise<string> {
  const { stdout } = await execa('ps', ['-o', 'lstart=', '-p', `${process.ppid}`])
  const started = createHash('sha256').update(stdout).digest('hex').slice(0, 8)
  const folder = join(tmpdir(), `crunch-e2e-${process.ppid}-${started}`)
  if (!existsSync(folder)) {
    await mkdir(folder)
    removeAfter(process.ppid, folder)
  }
  return folder
}

/** Leaves the removal of a folder to a process that waits for the end of another one. */
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
