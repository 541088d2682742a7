import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { repositoryRoot } from './repository.ts'

/** Packs every published package into a folder, as `changeset publish` would. The packages must be built. */
export async function packPackages(directory: string): Promise<void> {
  const packages = join(repositoryRoot, 'packages')
  const names = await readdir(packages)
  await Promise.all(
    names.map(async (name) => {
      const cwd = join(packages, name)
      const manifest = JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8')) as { private?: boolean }
      if (manifest.private === true) return
      const options = { cwd, preferLocal: true, localDir: repositoryRoot }
      await execa('pnpm', ['pack', '--pack-destination', directory], options)
    }),
  )
}
