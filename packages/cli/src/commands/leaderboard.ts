import { type Store, storedBoard } from '../engine.ts'
import { withStoredResults } from '../node-store.ts'
import { openReportClient, replaysNow } from '../report-api/open-report-client.ts'
import { devMode, readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import { formatLeaderboard } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

/** Shows the newest ranks, from the API of the running node or else from the database. */
export async function leaderboard(
  options: { readonly json: boolean; readonly replay: boolean },
  terminal: Terminal,
): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  const record = await readLiveSupervisor(workspace.stateDirectory)
  // With `crunch deploy dev`, only the database is sure to run.
  const isUp = record !== undefined && record.mode !== devMode
  const isShown = isUp && (!options.replay || (await replaysNow(workspace)))
  const { rows, info } = await (isShown ? served(terminal) : stored(options.replay, terminal))
  terminal.out(options.json ? JSON.stringify(rows) : formatLeaderboard(rows, info))
}

async function served(terminal: Terminal) {
  const client = await openReportClient(findWorkspace(terminal.cwd), terminal)
  const [rows, info] = await Promise.all([client.leaderboard(), client.info()])
  return { rows, info }
}

function stored(replay: boolean, terminal: Terminal) {
  return withStoredResults(terminal, replay, async ({ store, contract, environment }) => ({
    rows: await storedBoard(store, contract, environment),
    info: await eraOf(store),
  }))
}

async function eraOf(store: Store) {
  const era = (await store.eras()).at(-1)
  return era === undefined ? {} : { era: { number: era.number, began_at: new Date(era.beganAt).toISOString() } }
}
