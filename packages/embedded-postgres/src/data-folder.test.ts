import { existsSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { dataPathOf, removeData } from './data-folder.ts'
import { createWorkbench } from './embedded-postgres.testkit.ts'

let bench: ReturnType<typeof createWorkbench>
beforeEach(() => {
  bench = createWorkbench()
})
afterEach(() => bench.cleanUp())

it.each([
  ['that it created in another place', 'data.0123456789abcdef', false],
  ['only as a link if an operator linked them', 'disk', true],
])('removes data %s', async (_case, name, staysThere) => {
  const [directory, elsewhere] = [await bench.newFolder(), join(await bench.newFolder(), name)]
  await mkdir(elsewhere)
  await symlink(elsewhere, dataPathOf(directory))
  await removeData(directory)
  expect([existsSync(elsewhere), existsSync(dataPathOf(directory))]).toEqual([staysThere, false])
})

it('removes a link to missing data, and accepts missing data', async () => {
  const directory = await bench.newFolder()
  await symlink(join(directory, 'data.0123456789abcdef'), dataPathOf(directory))
  await removeData(directory)
  await removeData(directory)
  expect(existsSync(dataPathOf(directory))).toBe(false)
})
