import type { Instant } from '../time.ts'
import type { Model, ModelIdentity } from './model.ts'

// An id that returns under another cruncher must never inherit the results of the first owner. The first history of an id is
// stored under that id, the second under `id~2`, and so on. Boards, windows and checkpoints treat each as a separate model.

/** An operator's decision that an id belongs to another cruncher from now on. */
export interface Reassignment {
  /** As the orchestrator announces it. */
  readonly modelId: string
  /** The id of the new history. */
  readonly historyId: string
  readonly cruncherId: string
  readonly at: Instant
}

/** @param number from 2 on; the first history has the id itself */
export function historyIdOf(modelId: string, number: number): string {
  return `${modelId}~${number}`
}

/** The id under which the orchestrator announces the model of a history. */
export function announcedIdOf(historyId: string): string {
  return historyId.replace(/~\d+$/, '')
}

/** The cruncher of each announced id: by reassignment, otherwise the first one. */
export type Holders = ReadonlyMap<string, Pick<Reassignment, 'historyId' | 'cruncherId'>>

/** The newest reassignment of each id counts. @param reassignments oldest first */
export function holdersOf(reassignments: readonly Reassignment[]): Holders {
  return new Map(reassignments.map((reassignment) => [reassignment.modelId, reassignment]))
}

const REFUSED = 'the id belongs to cruncher'

/** Whether this reason of a retirement means that an operator must decide who owns the id. */
export function isRefusal(reason: string): boolean {
  return reason.startsWith(REFUSED)
}

/** Which history an announced model belongs to, or why it is refused. */
export type Claim = { readonly historyId: string } | { readonly problem: string }

export function judgeClaim(
  announced: ModelIdentity,
  known: ReadonlyMap<string, Pick<Model, 'cruncherId'>>,
  holders: Holders,
  /** The announced id that each deployment was first seen with. */
  deployments: ReadonlyMap<string, string>,
): Claim {
  const { id, cruncherId, deploymentId } = announced
  if (announcedIdOf(id) !== id)
    return { problem: `ids that end in "~" and a number are reserved for separate histories` }
  const historyId = holders.get(id)?.historyId ?? id
  const owner = holders.get(id)?.cruncherId ?? known.get(id)?.cruncherId
  if (owner !== undefined && owner !== cruncherId) {
    const problem = `${REFUSED} "${owner}", but is announced under "${cruncherId}"`
    const fix = `give the new model another id, or begin a separate history: crunch models reassign ${id} --to ${cruncherId}`
    return { problem: `${problem}; ${fix}` }
  }
  const other = deployments.get(deploymentId)
  if (other !== undefined && other !== id)
    return { problem: `its deployment "${deploymentId}" belongs to model ${other}` }
  return { historyId }
}
