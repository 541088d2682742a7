/**
 * Copies the monorepo's templates into this package, from which `create-crunch` creates workspaces.
 *
 *   node scripts/bundle-templates.mjs [FOLDER]     by default this package's templates/
 */
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(packageFolder, '../../templates')
const target = resolve(process.argv[2] ?? join(packageFolder, 'templates'))

/** Generated files of the monorepo, which are not copied. */
const leftovers = new Set([
  ...['node_modules', 'dist', '.turbo', '.crunch', '.env', '.local.env', 'coverage'],
  ...['__pycache__', '.pytest_cache', '.venv'],
])
/** Names that npm excludes from a package in every folder. */
const dropped = new Set(['.gitignore', '.npmignore', '.npmrc'])

rmSync(target, { recursive: true, force: true })
for (const part of ['root', 'node', 'challenge', 'packs']) {
  const from = join(source, part)
  if (!existsSync(from)) throw new Error(`${from} is missing`)
  cpSync(from, join(target, part), { recursive: true, filter: (path) => !leftovers.has(basename(path)) })
}
// npm would treat a nested package.json as a separate package.
for (const part of ['node', 'challenge']) {
  renameSync(join(target, part, 'package.json'), join(target, part, '_package.json'))
}
for (const file of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
  const name = basename(file)
  if (dropped.has(name)) throw new Error(`templates/${file}: npm drops it; store it as ${name.replace('.', '_')}`)
}
