import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/** The placeholder for the workspace's name in the templates. */
export const placeholder = 'crunch-template'

/** Names in the package, because npm excludes these dotfiles and treats a nested package.json as a separate package. */
const storedNames: Readonly<Record<string, string>> = {
  _gitignore: '.gitignore',
  _npmrc: '.npmrc',
  _env: '.env',
  '_package.json': 'package.json',
}

/** Data files are copied unchanged: they may be large and contain no placeholder. */
const dataExtensions: ReadonlySet<string> = new Set(['.csv', '.gz', '.parquet', '.png'])

/** Copies a folder over another and replaces the placeholder by the workspace's name; `skipped` names are left out. */
export function copyFiles(from: string, to: string, name: string, skipped: readonly string[] = []): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (skipped.includes(entry.name)) continue
    const source = join(from, entry.name)
    const target = join(to, storedNames[entry.name] ?? entry.name.replaceAll(placeholder, name))
    if (entry.isDirectory()) copyFiles(source, target, name)
    else if (dataExtensions.has(extname(entry.name))) copyFileSync(source, target)
    else writeFileSync(target, readFileSync(source, 'utf8').replaceAll(placeholder, name))
  }
}
