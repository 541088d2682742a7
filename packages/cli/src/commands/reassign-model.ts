import { CliError } from '../cli-error.ts'
import { withNodeStore } from '../node-store.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface ReassignOptions {
  /** The model id as the orchestrator announces it. */
  readonly model: string
  /** The new owner of the id. */
  readonly to: string
}

/** Assigns a model id to another cruncher, in the database. A new history begins, and that of the first owner ends. */
export async function reassignModel(options: ReassignOptions, terminal: Terminal): Promise<void> {
  const { model: id, to } = options
  await withNodeStore(terminal, async ({ store }) => {
    const known = await store.models()
    if (!known.some((model) => model.id === id)) {
      const ids = known.map((model) => model.id).join(', ')
      const fix =
        ids === '' ? 'start the node, and reassign the model once it is set up' : `give one of these ids: ${ids}`
      throw new CliError({ place: `model ${id}`, cause: 'the node has never set up a model with this id', fix })
    }
    const made = await store.reassignModel(id, to, Date.now())
    if (made === null) {
      terminal.out(`Model ${id} already belongs to cruncher ${to}.`)
      return
    }
    terminal.out(`Model ${id} belongs to cruncher ${to} from the next round on, with a new history: ${made.historyId}.`)
    terminal.out('Its earlier scores remain those of its first owner.')
  })
}
