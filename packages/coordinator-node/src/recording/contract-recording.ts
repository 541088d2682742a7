import { basename, resolve, sep } from 'node:path'
import { createRecordingSource, type RecordingFile, type RecordingSeries } from '../adapters/feeds/recording/index.ts'
import { archiveFolder, recordingName } from '../adapters/feeds/recording/series-path.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import type { FeedDefinition } from '../contract/feed-definition.ts'
import { strictSchema } from '../contract/schema/strict-schema.ts'
import { CrunchError } from '../domain/errors.ts'
import { toJsonObject } from '../domain/json/json.ts'
import type { FeedSource } from '../ports/feed-source.ts'
import type { Log } from '../ports/log.ts'

/**
 * Recorded files that replace a contract's feed. They must have its subjects, and each row is validated by its schema.
 */
export function contractRecording(contract: AnyContract, paths: readonly string[], log?: Log): FeedSource {
  const definitions: FeedDefinition[] = [contract.feed].flat()
  const [first] = definitions
  if (first === undefined) throw new CrunchError('CONTRACT_INVALID', 'feed: the contract has no feed to replay')
  const files = paths.map(
    (path): RecordingFile =>
      definitions.length === 1 ? { path } : { path, series: seriesOf(definitionFor(path, definitions)) },
  )
  return createRecordingSource({ files, series: seriesOf(first), ...(log && { log }) })
}

function seriesOf(definition: FeedDefinition): RecordingSeries {
  const { source, subjects, kind, granularity, values } = definition
  const schema = strictSchema(values)
  return { source, subjects, kind, granularity, parseValues: (row) => toJsonObject(schema.parse(row), 'values') }
}

/** With several feeds, a file belongs to the feed that it is named after, else to the one whose source and subject its name contains. */
function definitionFor(path: string, definitions: readonly FeedDefinition[]): FeedDefinition {
  const named = definitions.find((definition) =>
    definition.subjects.some((subject) => isNamedAfter(path, definition, subject)),
  )
  if (named !== undefined) return named
  const name = basename(path).toLowerCase()
  const matching = definitions.filter((definition) =>
    [definition.source, ...definition.subjects].some((word) => name.includes(word.toLowerCase())),
  )
  const [only] = matching
  if (only !== undefined && matching.length === 1) return only
  throw new CrunchError(
    'RECORDING_INVALID',
    `${path}: the contract has ${definitions.length} feeds, and the file's name fits ${matching.length} of them; put the source and the subject into its name`,
  )
}

/** Whether a path is the name that `crunch record` or the archive gives to a series. */
function isNamedAfter(path: string, { source, kind, granularity }: FeedDefinition, subject: string): boolean {
  const scope = { source, subject, kind, granularity }
  const name = recordingName(scope)
  return basename(path).startsWith(`${name}.`) || resolve(path).endsWith(archiveFolder(sep, scope))
}
