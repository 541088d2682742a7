import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { repositoryRoot } from './repository.ts'

/** Packs every published package into a folder, as `changeset publish` would. Their builds must be there. */
export async function packPackages(directory: string): Promise<void> {
  const packages = join(repositoryRoot, 'packages')
  const names = await readdir(packages)
  for (const name of names) {
    const manifest = JSON.parse(await readFile(join(packages, name, 'package.json'), 'utf8')) as { private?: boolean }
    if (manifest.private === true) continue
    await execa('pnpm', ['pack', '--pack-destination', directory], {
      cwd: join(packages, name),
      preferLocal: true,
      localDir: repositoryRoot,
    })
  }
}
