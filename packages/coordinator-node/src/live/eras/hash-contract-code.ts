import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { build, type Plugin, stop } from 'esbuild'
import { CrunchError } from '../../domain/errors.ts'
import type { Settings } from '../settings.ts'

const enginePackage = '@crunch/coordinator-node'

/**
 * Identifies the code of a contract: SHA-256 over its file and everything it imports from the workspace, bundled without
 * comments and white space, and over name and version of each package. Independent of machine, path and line ends. Files that
 * the code reads at run time are not included.
 */
export async function hashContractCode(contractPath: string, settings?: Settings): Promise<string> {
  const folder = dirname(resolve(contractPath))
  const hash = createHash('sha256')
  const add = async (path: string, name = '') => {
    const { code, packages } = await bundle(path)
    hash.update(`${name}${code}\n${[...packages].sort().join('\n')}\n`)
  }
  await add(resolve(contractPath))
  for (const { path, name } of settingFunctions(settings, folder)) await add(path, name)
  // Otherwise esbuild's process would keep this one alive.
  await stop()
  return hash.digest('hex')
}

const functionSettings = [
  ...(['SCORING_FUNCTION', 'INFERENCE_INPUT_BUILDER', 'INFERENCE_OUTPUT_VALIDATOR', 'FEED_SOURCE_MODULE'] as const),
  ...(['MODEL_SCORE_AGGREGATOR', 'LEADERBOARD_RANKER'] as const),
]

/** Functions that replace those of the contract: their modules, and which of its exports replaces what. */
function settingFunctions(settings: Settings | undefined, folder: string) {
  return functionSettings.flatMap((key) => {
    const [path, name] = settings?.[key]?.split('#') ?? []
    return path === undefined ? [] : [{ path: resolve(folder, path), name: `${key}=${name}\n` }]
  })
}

async function bundle(path: string): Promise<{ readonly code: string; readonly packages: ReadonlySet<string> }> {
  const packages = new Set<string>()
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      absWorkingDir: dirname(path),
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'esnext',
      charset: 'utf8',
      legalComments: 'none',
      minifyWhitespace: true,
      // Identifiers and syntax are not minified: a rename is a change, and esbuild versions minify differently.
      minifySyntax: false,
      minifyIdentifiers: false,
      treeShaking: false,
      logLevel: 'silent',
      // The workspace's tsconfig concerns only types, not the code that runs.
      tsconfigRaw: {},
      plugins: [leaveOutPackages(packages)],
    })
    return { code: outputFiles[0]?.text ?? '', packages }
  } catch (error) {
    const reason = errorText(error)
    throw new CrunchError('CONTRACT_NOT_LOADED', `the code of ${path} could not be read as modules: ${reason}`, {
      cause: error,
    })
  }
}

/** A package counts by its name and version. A package of the workspace is linked and counts by its code. */
function leaveOutPackages(packages: Set<string>): Plugin {
  return {
    name: 'packages',
    setup({ onResolve, resolve: find }) {
      onResolve({ filter: /^[^./]/ }, async (found) => {
        if (found.pluginData === 'asked' || found.kind === 'entry-point') return undefined
        const name = packageName(found.path)
        const { path, external } = await find(found.path, {
          resolveDir: found.resolveDir,
          importer: found.importer,
          kind: found.kind,
          pluginData: 'asked',
        })
        const isInstalled =
          name === enginePackage || external || path === '' || /[\\/]node_modules[\\/]/.test(realpathSync(path))
        if (!isInstalled) return { path }
        packages.add(`${name}@${external ? '' : await versionOf(name, path)}`)
        return { path: found.path, external: true }
      })
    },
  }
}

function packageName(specifier: string): string {
  const [scope = '', name = ''] = specifier.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

/** The version of the package that contains a file; empty if it has none, as for a Node module. */
async function versionOf(name: string, file: string): Promise<string> {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const described = JSON.parse(text) as { readonly name?: string; readonly version?: string }
    if (described.name === name) return described.version ?? ''
  }
  return ''
}
