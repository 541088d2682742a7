import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const packageFolder = fileURLToPath(new URL('..', import.meta.url))
export const repository = join(packageFolder, '../..')

/** The package as published, built in a separate folder so that it is independent of other builds. */
export interface BuiltPackage {
  readonly folder: string
  /** A new empty folder, outside of any package. */
  emptyFolder(): string
  run(args: readonly string[], options?: RunOptions): RunResult
  start(args: readonly string[], options: RunOptions): ChildProcess
  remove(): void
}

interface RunOptions {
  readonly cwd?: string
  readonly path?: string
}

export interface RunResult {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export function buildPackage(): BuiltPackage {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'create-crunch-test-'))
  const folder = join(root, 'package')
  const tsup = join(repository, 'node_modules/.bin/tsup')
  execFileSync(tsup, ['--out-dir', join(folder, 'dist')], { cwd: packageFolder, stdio: 'pipe' })
  execFileSync(process.execPath, ['scripts/bundle-templates.mjs', join(folder, 'templates')], { cwd: packageFolder })
  cpSync(join(packageFolder, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(packageFolder, 'node_modules'), join(folder, 'node_modules'))
  const bin = join(folder, 'dist/bin.js')
  const environment = (options: RunOptions) => ({
    cwd: options.cwd ?? root,
    env: { ...process.env, NO_COLOR: '1', PATH: options.path ?? process.env.PATH },
  })
  return {
    folder,
    emptyFolder: () => mkdtempSync(join(root, 'folder-')),
    run(args, options = {}) {
      const result = spawnSync(process.execPath, [bin, ...args], {
        ...environment(options),
        encoding: 'utf8',
        timeout: 60_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return { code: result.status, output: result.stdout, errors: result.stderr }
    },
    start: (args, options) => spawn(process.execPath, [bin, ...args], environment(options)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** The files of a folder, relative to it, sorted. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

export function readJson(...path: readonly string[]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>
}
