import { chmod, chown, lstat, mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { processCommand } from '@crunch/local-processes'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWorkbench, endChild, outcomeOf, withSql } from './embedded-postgres.testkit.ts'
import { chooseServerAccount, isRoot } from './server-account.ts'
import { startEmbeddedPostgres } from './start-embedded-postgres.ts'

let bench: ReturnType<typeof createWorkbench>
beforeEach(() => {
  bench = createWorkbench()
})
afterEach(() => bench.cleanUp())

// Tests that switch to a normal user need root. Without root, all other tests already run as a normal user.
describe.skipIf(!isRoot())('as root (skipped: this run is not root)', () => {
  it('runs the server as an unprivileged user', async () => {
    const server = await startEmbeddedPostgres({ directory: await bench.newDirectory() })
    expect((await lstat(`/proc/${server.pid}`)).uid).not.toBe(0)
    expect(processCommand(server.pid)).toContain('postgres')
    await server.stop()
  })

  it('keeps the data elsewhere, with a link, if that user cannot enter the directory', async () => {
    const closed = await bench.newFolder()
    await chmod(closed, 0o700)
    const directory = await bench.newDirectory(closed)
    const lines: string[] = []
    const server = await startEmbeddedPostgres({ directory, log: (line) => lines.push(line) })
    expect((await lstat(join(directory, 'data'))).isSymbolicLink()).toBe(true)
    expect(await realpath(join(directory, 'data'))).not.toContain(closed)
    expect(lines.join()).toContain(closed)
    await server.stop()
    const again = await startEmbeddedPostgres({ directory })
    expect(again.url).toBe(server.url)
  })

  it('works for a normal user, for two starts at once, with an empty cache and a blocked install script', async () => {
    const { uid, gid } = await chooseServerAccount('/nonexistent')
    const home = await ownedFolder(uid!, gid!)
    const environment = { ...process.env, HOME: home, TMPDIR: home }
    const directories = await Promise.all([bench.newDirectory(home), bench.newDirectory(await ownedFolder(uid!, gid!))])
    const children = directories.map((directory) => bench.spawnChild({ directory }, { uid, gid, env: environment }))
    const outcomes = await Promise.all(children.map(outcomeOf))
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ attached: false })
      expect(await withSql(outcome.url ?? '', (sql) => sql`select 1 as value`)).toEqual([{ value: 1 }])
    }
    for (const child of children) await endChild(child, 'end of input')
    const warm = await outcomeOf(bench.spawnChild({ directory: directories[0] }, { uid, gid, env: environment }))
    expect(warm.url).toBe(outcomes[0]?.url)
  })

  it('refuses a directory that a normal user does not own', async () => {
    const { uid, gid } = await chooseServerAccount('/nonexistent')
    const folder = await bench.newFolder()
    const child = bench.spawnChild(
      { directory: join(folder, 'database') },
      { uid, gid, env: { ...process.env, TMPDIR: await ownedFolder(uid!, gid!) } },
    )
    expect(await outcomeOf(child)).toMatchObject({ code: 'DIRECTORY_NOT_WRITABLE' })
  })
})

async function ownedFolder(uid: number, gid: number): Promise<string> {
  const folder = join(await bench.newFolder(), 'home')
  await mkdir(folder)
  await chown(folder, uid, gid)
  return folder
}
