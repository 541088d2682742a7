import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processIdentity } from '@crunch/local-processes'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { embeddedDatabase } from '../embedded-database.ts'
import { testTerminal } from '../run-cli.fixture.ts'
import { down } from './control.ts'

let root: string
let directory: string

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-control-')))
  // Accessible to the user that runs the server for root, as a project folder usually is.
  await chmod(root, 0o755)
  directory = join(root, 'node/.crunch/postgres')
  await mkdir(join(root, 'node/.crunch'), { recursive: true })
  await writeFile(join(root, 'node/contract.ts'), '')
})

afterEach(async () => {
  await embeddedDatabase.remove(directory)
  await rm(root, { recursive: true, force: true })
})

it('down ends a database server whose processes were all killed', { timeout: 60_000 }, async () => {
  const server = await embeddedDatabase.start({ directory, detached: true, fsync: false })
  const printed: string[] = []
  const print = (text: string) => printed.push(text)
  const { terminal } = testTerminal({ cwd: root, out: print, err: print })
  await down(terminal)
  await down(terminal)
  expect(printed).toEqual([
    `Ended processes of a killed supervisor: postgres (process ${server.pid})`,
    'Nothing runs here.',
  ])
  expect(processIdentity(server.pid)).toBeUndefined()
})
