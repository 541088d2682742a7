import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CliError } from './cli-error.ts'

/** The absolute paths of a competition's files. */
export interface Workspace {
  /** The folder that contains `contract.ts`. */
  readonly nodeDirectory: string
  readonly contractPath: string
  /** Files that `crunch` writes: the embedded database, pids, logs, the supervisor's socket. */
  readonly stateDirectory: string
  readonly logDirectory: string
  readonly modelsFile: string
  readonly submissionsDirectory: string
  /** The folder of Python environments, which models share. */
  readonly environmentsDirectory: string
  /** The folder with the base class of Python models; it may be missing. */
  readonly pythonPath: string
  readonly recordingsDirectory: string
}

const contractNames = ['contract.ts', 'contract.mts', 'contract.js', 'contract.mjs']

/**
 * The workspace of `directory`: the nearest parent folder with a contract in it or in its `node` folder.
 * @throws CliError if there is none.
 */
export function findWorkspace(directory: string): Workspace {
  const start = resolve(directory)
  for (let folder = start; ; folder = dirname(folder)) {
    for (const candidate of [folder, join(folder, 'node')]) {
      const name = contractNames.find((file) => existsSync(join(candidate, file)))
      if (name !== undefined) return describeWorkspace(candidate, name)
    }
    if (dirname(folder) === folder) break
  }
  throw new CliError({
    place: start,
    cause: `no competition here: neither this folder nor one above it has a contract.ts or node/contract.ts`,
    fix: 'change to a workspace, or create one with: npx create-crunch my-challenge',
  })
}

function describeWorkspace(nodeDirectory: string, contractName: string): Workspace {
  const deployment = join(nodeDirectory, 'deployment', 'model-orchestrator-local')
  const stateDirectory = join(nodeDirectory, '.crunch')
  return {
    nodeDirectory,
    contractPath: join(nodeDirectory, contractName),
    stateDirectory,
    logDirectory: join(stateDirectory, 'logs'),
    modelsFile: join(deployment, 'config', 'models.dev.yml'),
    submissionsDirectory: join(deployment, 'data', 'submissions'),
    environmentsDirectory: join(stateDirectory, 'environments'),
    pythonPath: join(dirname(nodeDirectory), 'challenge', 'python', 'src'),
    recordingsDirectory: join(nodeDirectory, 'recordings'),
  }
}

/** The folder with the logs of models, one subfolder per model. */
export function modelLogsDirectory({ logDirectory }: Workspace): string {
  return join(logDirectory, 'models')
}
