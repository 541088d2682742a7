import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createFolder } from '@crunch/local-processes'
import { count } from '../backfill/format-backfill.ts'
import { CliError, ReportedFailure } from '../cli-error.ts'
import {
  contractScopes,
  type FeedScope,
  feedScopeKey,
  followRecording,
  recordingName,
  wallTiming,
  writeRecording,
} from '../engine.ts'
import { type OpenedNode, withNodeStore } from '../node-store.ts'
import { createProgress } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What to export: the records known in a time range. */
export interface RecordOptions {
  readonly out?: string
  readonly from?: number
  readonly to?: number
  /** Keep writing new records until Ctrl-C. */
  readonly follow: boolean
}

/** The times that both PostgreSQL and ISO 8601 can represent. */
const [firstAt, lastAt] = [Date.parse('0001-01-01'), Date.parse('9999-12-31T23:59:59.999Z')]

/** Exports the records of the node's feeds as recordings, one file per series. */
export function record(options: RecordOptions, terminal: Terminal): Promise<void> {
  return withNodeStore(terminal, async (node) => {
    const { from = firstAt, to = lastAt, follow } = options
    if (from >= to) {
      throw new CliError({ place: 'crunch record', cause: '--from is not before --to', fix: 'swap them' })
    }
    const folder = options.out === undefined ? node.workspace.recordingsDirectory : resolve(terminal.cwd, options.out)
    const series = contractScopes(node.contract).map((scope) => {
      const path = join(folder, `${recordingName(scope)}.ndjson${follow ? '' : '.gz'}`)
      return { scope, from, to, path }
    })
    for (const { path } of series) requireFree(path)
    await createFolder(folder)
    if (follow) {
      await Promise.all(series.map((one) => followSeries(node, one, terminal)))
      return
    }
    let total = 0
    for (const { path, ...stretch } of series) {
      const written = await writeRecording(path, node.store, stretch, terminal.signal).catch((error: unknown) => {
        if (!terminal.signal.aborted) throw error
        throw new ReportedFailure('ended by the operator', { cause: error })
      })
      total += written
      const what =
        written === 0 ? `${feedScopeKey(stretch.scope)} has no records` : `${path}: ${count(written)} records`
      terminal.out(what)
    }
    if (total === 0) {
      const cause = 'no feed has a record of this time'
      throw new CliError({ place: 'crunch record', cause, fix: 'list the series with: crunch status' })
    }
  })
}

interface Followed {
  readonly scope: FeedScope
  readonly from: number
  readonly to: number
  readonly path: string
}

async function followSeries({ store }: OpenedNode, { path, ...stretch }: Followed, terminal: Terminal): Promise<void> {
  let [shown, shownLate] = [0, 0]
  const progress = createProgress(terminal)
  terminal.err(`${path}: new records of ${feedScopeKey(stretch.scope)} until Ctrl-C`)
  await followRecording(path, {
    store,
    stretch,
    timing: wallTiming,
    signal: terminal.signal,
    onProgress(written, late) {
      if (written !== shown) progress(() => `${path}: ${count(written)} records`)
      if (late > shownLate) {
        terminal.err(
          `${feedScopeKey(stretch.scope)}: ${late} records arrived late and are not in the file; export them with: crunch record`,
        )
      }
      shown = written
      shownLate = late
    },
  })
  terminal.out(`${path}: ${count(shown)} records`)
}

/** Refuses to overwrite a recording: it may hold records that the node has since deleted. */
function requireFree(path: string): void {
  if (!existsSync(path)) return
  const fix = 'name another folder with --out, or remove the file'
  throw new CliError({ place: path, cause: 'the recording already exists', fix })
}
