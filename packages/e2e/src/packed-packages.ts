import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { repositoryRoot } from './repository.ts'

/** Packs every published package into a folder, as `changeset publish` would. The packages must be built. */
export async function packPackages(directory: string): Promise<void> {
  const packages = join(repositoryRoot, 'packages')
  const manifests = await Promise.all(
    (await readdir(packages)).map(async (name) => {
      const text = await readFile(join(packages, name, 'package.json'), 'utf8')
      return JSON.parse(text) as { readonly name: string; readonly private?: boolean }
    }),
  )
  const filters = manifests.filter((manifest) => manifest.private !== true).map(({ name }) => `--filter=${name}`)
  // One process for all of them: pnpm takes longer to start than to pack.
  const options = { cwd: repositoryRoot, preferLocal: true, localDir: repositoryRoot }
  await execa('pnpm', [...filters, 'pack', '--pack-destination', directory], options)
}
