import { printable, wait } from '@crunch/local-processes'
import { CliError, failWith } from '../cli-error.ts'
import { healthReasons, stoppages } from '../health-reasons.ts'
import type { CheckpointRow, FeedRow, InfoRow, LeaderboardRow } from '../report-api/report-client.ts'
import type { ServiceStatus } from '../supervisor/service-definition.ts'
import { explainValues, formatCheckpoint, formatLeaderboard, formatProgress, type ReplayProgress } from '../tables.ts'
import { cutToCells } from '../terminal/printable.ts'
import { createProgress } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { describeServing } from './serving-models.ts'
import { DeploymentFailure, standstill, type WatchInput } from './watch-start.ts'

const refreshMs = 1_000
const checkpointPollMs = 250
const plainLineMs = 60_000
/** After the end of a recording, the pipeline still settles rounds. After this long without a change, it is done. */
const settledAfterMs = 10_000

/** The node still serves its results, which no longer change once the last rounds are settled. */
const replayEnded = 'The replay has ended: no more data will come. Press Ctrl-C to end the competition.'

/** Shows the changing leaderboard until Ctrl-C. */
export async function followLeaderboard(input: WatchInput): Promise<void> {
  const { client, terminal } = input
  const view = openLiveView(terminal)
  const { signal } = terminal
  while (!signal.aborted) {
    const shown = await readQuietly(async () => {
      const [rows, feeds, known, health, info] = await Promise.all([
        client.leaderboard(),
        client.feeds(),
        client.models(),
        client.health(),
        client.info(),
      ])
      return { rows, info, progress: progressOf(feeds, known.length), reasons: healthReasons(health) }
    })
    const services = await input.look()
    // An orchestrator of another kind may not have this API. Then only the models that are set up on the node are counted.
    const models = await readQuietly(input.models)
    const head = shown === undefined ? 'waiting for the API' : formatProgress(shown.progress)
    view.show({ rows: shown?.rows ?? [], info: shown?.info ?? {} }, head, [
      ...services.flatMap(({ lastEvent }) => (lastEvent === 'replay-ended' ? [replayEnded] : [])),
      ...(models === undefined ? [] : describeServing(models)),
      ...services.filter(({ state }) => state !== 'ready').map(describeTrouble),
      ...(shown?.reasons ?? []),
      ...(terminal.isInteractive ? [`page: ${client.url}/`] : []),
    ])
    await wait(refreshMs, signal)
  }
}

/** Reports services that fail, until Ctrl-C. */
export async function watchServices({ look, terminal }: Pick<WatchInput, 'look' | 'terminal'>): Promise<void> {
  let seen = ''
  while (!terminal.signal.aborted) {
    const troubles = (await look()).filter(({ state }) => state !== 'ready').map(describeTrouble)
    const text = troubles.join(', ')
    if (text !== seen && text !== '') terminal.err(text)
    seen = text
    await wait(refreshMs, terminal.signal)
  }
}

/**
 * Waits for the first checkpoint. Undefined if the operator ended the wait.
 * @throws DeploymentFailure if a service cannot run, or nothing has changed for `patienceMs`; ReportedFailure if the whole recording gives no
 * predictions or no scores.
 */
export async function waitForCheckpoint(input: WatchInput): Promise<CheckpointRow | undefined> {
  const { client, terminal, patienceMs } = input
  let seen = ''
  let changedAtMs = performance.now()
  const progress = createProgress(terminal)
  while (!terminal.signal.aborted) {
    const services = await input.look()
    const failed = services.find(({ state }) => state === 'failed')
    if (failed !== undefined) throw new DeploymentFailure(failed.lastError ?? 'it cannot run', failed.name)
    const state = await readQuietly(async () => {
      const [checkpoints, feeds, rows, models] = await Promise.all([
        client.checkpoints(),
        client.feeds(),
        client.leaderboard(),
        client.models(),
      ])
      return { first: checkpoints.at(-1), rows, progress: progressOf(feeds, models.length) }
    })
    if (state?.first !== undefined) return state.first
    const now = JSON.stringify(state)
    const nowMs = performance.now()
    if (state !== undefined && now !== seen) {
      changedAtMs = nowMs
      seen = now
      progress(() => formatProgress(state.progress))
    }
    const hasEnded = services.some(({ lastEvent }) => lastEvent === 'replay-ended')
    if (hasEnded && nowMs - changedAtMs > Math.min(settledAfterMs, patienceMs)) {
      failWith((await input.outcome()).failure, terminal)
      const at = state?.progress.watermark ?? 'its beginning'
      const held = stoppages((await readQuietly(() => client.health())) ?? {})
      const why = held.length === 0 ? 'replay a longer one' : held.join('; ')
      throw new DeploymentFailure(`the recording ended at ${at}, before a checkpoint closed: ${why}`, undefined)
    }
    if (nowMs - changedAtMs > patienceMs) throw standstill(services, patienceMs)
    await wait(checkpointPollMs, terminal.signal)
  }
  return undefined
}

/**
 * Prints a checkpoint, and the board as of its end: the newest board would depend on how far the replay has run.
 * @throws ReportedFailure if the replay has no predictions or no scores.
 */
export async function showCheckpoint(
  { client, terminal, outcome }: WatchInput,
  checkpoint: CheckpointRow,
): Promise<void> {
  const board = await client.leaderboard(checkpoint.period_end)
  terminal.out(formatLeaderboard(board))
  terminal.out([formatCheckpoint(checkpoint), ...explainValues(board, 1)].join('\n'))
  failWith((await outcome()).failure, terminal)
}

/** Undefined while the API does not answer; the state of the service then shows why. */
async function readQuietly<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof CliError) return undefined
    throw error
  }
}

function progressOf(feeds: readonly FeedRow[], modelCount: number): ReplayProgress {
  const watermarks = feeds.map(({ watermark_ts }) => watermark_ts).filter((at) => at !== null)
  return {
    watermark: watermarks.sort().at(-1) ?? null,
    recordCount: feeds.reduce((sum, { record_count }) => sum + record_count, 0),
    modelCount,
  }
}

function describeTrouble({ name, state, lastError }: ServiceStatus): string {
  return `${name} is ${state}${lastError === null ? '' : `: ${lastError}`}`
}

interface Board {
  readonly rows: readonly LeaderboardRow[]
  readonly info: InfoRow
}

interface LiveView {
  show(board: Board, head: string, notes: readonly string[]): void
}

function openLiveView(terminal: Terminal): LiveView {
  let lineCount = 0
  let shownAtMs = Number.NEGATIVE_INFINITY
  let shownText = ''
  return {
    show({ rows, info }, head, notes) {
      if (terminal.isInteractive) {
        const { columns, rows: height } = terminal.size()
        // A line that wraps or scrolls out of the window could not be redrawn.
        const lines = [head, ...notes, ...formatLeaderboard(rows, info).split('\n')]
          .slice(0, Math.max(1, height - 1))
          .map((line) => cutToCells(printable(line), columns))
        // Move up to the first line of the previous table, and clear the screen from there.
        terminal.out(lines.join('\n'), lineCount)
        lineCount = lines.length
        return
      }
      const leader = rows[0] === undefined ? 'no leaderboard yet' : `first: ${rows[0].model_name ?? rows[0].model_id}`
      const text = [head, leader, ...notes].join(', ')
      // The end of the replay is printed at once, because no later line may repeat it.
      const isEnd = notes.includes(replayEnded) && !shownText.includes(replayEnded)
      if (text === shownText || (!isEnd && performance.now() - shownAtMs < plainLineMs)) return
      shownText = text
      shownAtMs = performance.now()
      terminal.out(printable(text))
    },
  }
}
