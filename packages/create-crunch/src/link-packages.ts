import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PackageManager } from './options.ts'
import type { PackageSources } from './package-sources.ts'

interface Manifest {
  readonly name: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

const members = ['node', 'challenge']

/** Replaces the monorepo's `workspace:` specifiers by ones that the package manager can resolve outside of it. */
export function linkPackages(directory: string, sources: PackageSources, packageManager: PackageManager): void {
  const files = ['.', ...members].map((member) => join(directory, member, 'package.json'))
  const manifests = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Manifest)
  const siblings = new Set(manifests.map((manifest) => manifest.name))
  // npm links a member for any specifier that it satisfies; pnpm would look in the registry first.
  const sibling = packageManager === 'pnpm' ? 'workspace:*' : '*'
  const resolved = (name: string, specifier: string) => {
    if (!specifier.startsWith('workspace:')) return specifier
    if (siblings.has(name)) return sibling
    if (name.startsWith('@crunch/')) return sources.specifier(name)
    throw new Error(`the template depends on ${name} by "${specifier}", which is not one of our packages`)
  }
  manifests.forEach((manifest, index) => {
    for (const group of ['dependencies', 'devDependencies'] as const) {
      const entries = Object.entries(manifest[group] ?? {})
      if (entries.length > 0) {
        manifest[group] = Object.fromEntries(entries.map(([name, specifier]) => [name, resolved(name, specifier)]))
      }
    }
    if (index === 0) manifest.devDependencies = sortedByName({ ...manifest.devDependencies, ...sources.atRoot })
    writeFileSync(files[index]!, `${JSON.stringify(manifest, null, 2)}\n`)
  })
  if (packageManager === 'pnpm') {
    const lines = ['packages:', ...members.map((member) => `  - ${member}`), ...overrides(sources)]
    writeFileSync(join(directory, 'pnpm-workspace.yaml'), `${lines.join('\n')}\n`)
  }
}

/** pnpm resolves nested dependencies separately, so dependencies between our tarballs need overrides. */
function overrides(sources: PackageSources): string[] {
  const entries = Object.entries(sources.atRoot)
  if (entries.length === 0) return []
  return ['overrides:', ...entries.map(([name, specifier]) => `  "${name}": ${JSON.stringify(specifier)}`)]
}

function sortedByName(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1)))
}
