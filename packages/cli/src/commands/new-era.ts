import { CliError } from '../cli-error.ts'
import { confirmNewEra, formatTime } from '../engine.ts'
import { withNodeStore } from '../node-store.ts'
import { countOf } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Begins a new era with the changed contract before the deployment starts, and prints what happened to the old era. */
export async function beginEraFor(request: { readonly replay?: readonly string[] }, terminal: Terminal): Promise<void> {
  if (request.replay !== undefined) {
    throw new CliError({
      place: 'crunch deploy --new-era --replay',
      cause: 'a replay uses a separate database, which is empty without --resume',
      fix: 'remove one of the two options',
    })
  }
  await withNodeStore(terminal, async ({ workspace, contract, environment, store }) => {
    const outcome = await confirmNewEra({ store, contract, contractPath: workspace.contractPath, environment })
    if (outcome.kind === 'unchanged') {
      terminal.out('--new-era: the structure of the contract matches the database; no new era began.')
      return
    }
    const { era, voidRoundCount, changes } = outcome
    terminal.out(`Era ${era.number} began at ${formatTime(era.beganAt)}. Changed: ${changes.join(', ')}.`)
    terminal.out(
      `Void, so that they count for no model: ${countOf(voidRoundCount, 'open round')} of era ${era.number - 1}.`,
    )
    terminal.out('Its last period and checkpoint end early, by its own rules.')
  })
}
