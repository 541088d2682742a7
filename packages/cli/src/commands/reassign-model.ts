import { CliError } from '../cli-error.ts'
import { withNodeStore } from '../node-store.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface ReassignOptions {
  /** As the orchestrator announces it. */
  readonly model: string
  /** The cruncher who holds the id from now on. */
  readonly to: string
}

/** Gives a model id to another cruncher, with a history of its own; that of the first owner ends. Recorded in the database. */
export async function reassignModel(options: ReassignOptions, terminal: Terminal): Promise<void> {
  const { model: id, to } = options
  await withNodeStore(terminal, async ({ store }) => {
    const known = await store.models()
    if (!known.some((model) => model.id === id)) {
      const ids = known.map((model) => model.id).join(', ')
      const cause = `the node has never set up a model with this id; it knows ${ids || 'none'}`
      throw new CliError({ place: `model ${id}`, cause, fix: 'use one of these, or add the model under a new id' })
    }
    const made = await store.reassignModel(id, to, Date.now())
    if (made === null) {
      terminal.out(`Model ${id} belongs to cruncher ${to} already.`)
      return
    }
    terminal.out(`Model ${id} belongs to cruncher ${to} from the next round on, with a new history: ${made.historyId}.`)
    terminal.out('What was scored before stays with its first owner, and is not inherited.')
  })
}
