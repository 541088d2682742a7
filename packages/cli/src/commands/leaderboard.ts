import { openReportClient } from '../report-api/open-report-client.ts'
import { formatLeaderboard } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

/** Shows the current ranks, from the report API. */
export async function leaderboard(options: { readonly json: boolean }, terminal: Terminal): Promise<void> {
  const client = await openReportClient(findWorkspace(terminal.cwd), terminal)
  const [rows, info] = await Promise.all([client.leaderboard(), client.info()])
  terminal.out(options.json ? JSON.stringify(rows) : formatLeaderboard(rows, info))
}
