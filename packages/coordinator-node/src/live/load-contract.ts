import { dirname, resolve } from 'node:path'
import { importTypeScript, ModuleLoadError } from '@crunch/model-runner'
import { z } from 'zod'
import { showPlacesFrom } from '../contract/author-code.ts'
import { checkContract } from '../contract/check-contract.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import type { FeedDefinition } from '../contract/feed-definition.ts'
import { formatFindings } from '../contract/finding.ts'
import { CrunchError } from '../domain/errors.ts'
import { formatDuration } from '../domain/time.ts'
import type { FeedSourceFactory } from '../ports/feed-source.ts'
import type { Settings } from './settings.ts'
import { findWorkspaceFolder } from './workspace-folder.ts'

/**
 * Loads a contract file, TypeScript or JavaScript, and validates it. Throws a `CrunchError`: CONTRACT_NOT_LOADED with the author's
 * own error as cause, or CONTRACT_INVALID with every finding.
 * @param settings replace parts of the contract (`FEED_*`, `SCORING_FUNCTION`, …); the result is validated again
 */
export async function loadContract(path: string, settings?: Settings): Promise<AnyContract> {
  const module = await importAuthorFile(path)
  showPlacesFrom(findWorkspaceFolder(path))
  if (module.default === undefined) {
    throw new CrunchError(
      'CONTRACT_NOT_LOADED',
      `${path} has no default export: write export default defineContract({ ... })`,
    )
  }
  const findings = checkContract(module.default)
  if (findings.length > 0) throw invalid(path, findings)
  if (settings === undefined) return module.default as AnyContract
  const contract = await applySettings(module.default as AnyContract, settings, dirname(resolve(path)))
  const changed = checkContract(contract)
  if (changed.length > 0) throw invalid(`${path} with the settings of this node`, changed)
  return contract
}

function invalid(place: string, findings: Parameters<typeof formatFindings>[0]): CrunchError {
  return new CrunchError('CONTRACT_INVALID', `${place} is not a valid contract:\n${formatFindings(findings)}`)
}

/** The contract with the operator's overrides from the environment. */
async function applySettings(contract: AnyContract, settings: Settings, folder: string): Promise<AnyContract> {
  const feeds: FeedDefinition[] = [contract.feed].flat()
  const [scoring, builder, validator, source, aggregate, rank] = await Promise.all([
    importFunction('SCORING_FUNCTION', settings.SCORING_FUNCTION, folder),
    importFunction('INFERENCE_INPUT_BUILDER', settings.INFERENCE_INPUT_BUILDER, folder),
    importFunction('INFERENCE_OUTPUT_VALIDATOR', settings.INFERENCE_OUTPUT_VALIDATOR, folder),
    importFunction('FEED_SOURCE_MODULE', settings.FEED_SOURCE_MODULE, folder),
    importFunction('MODEL_SCORE_AGGREGATOR', settings.MODEL_SCORE_AGGREGATOR, folder),
    importFunction('LEADERBOARD_RANKER', settings.LEADERBOARD_RANKER, folder),
  ])
  const timeoutSeconds = settings.MODEL_RUNNER_TIMEOUT_SECONDS
  const checkpointSeconds = settings.CHECKPOINT_INTERVAL_SECONDS
  return {
    ...contract,
    feed: feeds.map((feed) => overrideFeed(feed, settings, source)),
    input: builder === undefined ? contract.input : { ...contract.input, build: builder },
    prediction: {
      ...contract.prediction,
      ...(validator !== undefined && { schema: contract.prediction.schema.pipe(z.transform(validator)) }),
      ...(timeoutSeconds !== undefined && { timeout: formatDuration(Math.max(1, Math.round(timeoutSeconds * 1_000))) }),
    },
    score: scoring === undefined ? contract.score : { ...contract.score, compute: scoring },
    leaderboard: {
      ...contract.leaderboard,
      ...(aggregate !== undefined && { aggregate }),
      ...(rank !== undefined && { rank }),
    },
    checkpoint:
      checkpointSeconds === undefined
        ? contract.checkpoint
        : { ...contract.checkpoint, every: `${checkpointSeconds}s` },
  }
}

function overrideFeed(
  { from, ...feed }: FeedDefinition,
  settings: Settings,
  source: FeedSourceFactory | undefined,
): FeedDefinition {
  // A source set by name is one of the engine's.
  const factory = source ?? (settings.FEED_SOURCE === undefined ? from : undefined)
  return {
    ...feed,
    ...(factory !== undefined && { from: factory }),
    source: settings.FEED_SOURCE ?? feed.source,
    subjects: settings.FEED_SUBJECTS ?? feed.subjects,
    kind: settings.FEED_KIND ?? feed.kind,
    granularity: (settings.FEED_GRANULARITY as FeedDefinition['granularity'] | undefined) ?? feed.granularity,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the function's type is checked by the dry run of the contract check
type AuthorFunction = (context: any) => any

/** The function that a setting `path/to/module.ts#export` names, relative to the folder of the contract. */
async function importFunction(
  key: string,
  reference: string | undefined,
  folder: string,
): Promise<AuthorFunction | undefined> {
  if (reference === undefined) return undefined
  const [path = '', name = ''] = reference.split('#')
  const exported = (await importAuthorFile(resolve(folder, path), `${key}: `))[name]
  if (typeof exported === 'function') return exported as AuthorFunction
  throw new CrunchError(
    'SETTINGS_INVALID',
    `${key}: ${path} exports no function "${name}"; export it or correct the setting`,
  )
}

/** @param setting the setting that names the file, for error messages */
export async function importAuthorFile(
  path: string,
  setting = '',
  code: 'CONTRACT_NOT_LOADED' | 'ROUTES_NOT_LOADED' = 'CONTRACT_NOT_LOADED',
): Promise<Record<string, unknown>> {
  try {
    return (await importTypeScript(path)) as Record<string, unknown>
  } catch (error) {
    throw new CrunchError(code, `${setting}${path} could not be loaded:\n${authorText(error)}`, {
      cause: error,
    })
  }
}

/** Error text for the author: the place of the error and, for exceptions, the author's stack without our loader. */
function authorText(error: unknown): string {
  if (!(error instanceof ModuleLoadError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const thrown = error.code === 'MODULE_THREW' && error.cause instanceof Error ? error.cause.stack : undefined
  return thrown === undefined ? error.message : `${error.message}\n${thrown}`
}
