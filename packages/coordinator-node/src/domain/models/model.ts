import type { Instant } from '../time.ts'

/** A participant's model, as the orchestrator announced it. */
export interface ModelIdentity {
  readonly id: string
  readonly name: string
  readonly deploymentId: string
  readonly cruncherId: string
  readonly cruncherName: string
}

/** A span in which a model takes no part: it has no rows, is not due, and is not ranked for pay. */
export interface Retirement {
  readonly from: Instant
  /** The first instant at which it takes part again; `null` while it is retired. */
  readonly until: Instant | null
  /** Text for the participant and the operator. */
  readonly reason: string
}

/** A model that this node has set up at least once; from then on every round has a row for it, unless it is retired. */
export interface Model extends ModelIdentity {
  readonly registeredAt: Instant
  /** Oldest first; they never overlap, and only the last can be open. */
  readonly retirements: readonly Retirement[]
}

/** The retirement in force at `at`; `null` without one. */
export function retirementAt({ retirements }: Pick<Model, 'retirements'>, at: Instant): Retirement | null {
  return retirements.find(({ from, until }) => from <= at && (until === null || at < until)) ?? null
}

export function isRetired(model: Pick<Model, 'retirements'>, at: Instant): boolean {
  return retirementAt(model, at) !== null
}

/** Whether a round at `at` has a row for this model. */
export function takesPart(model: Pick<Model, 'registeredAt' | 'retirements'>, at: Instant): boolean {
  return model.registeredAt <= at && !isRetired(model, at)
}

/**
 * The retirements after a new one begins. An open retirement is kept with its reason; a new one never begins before the
 * end of the last.
 */
export function beginRetirement(
  retirements: readonly Retirement[],
  from: Instant,
  reason: string,
): readonly Retirement[] {
  const last = retirements.at(-1)
  if (last === undefined) return [{ from, until: null, reason }]
  if (last.until === null) return retirements
  return [...retirements, { from: Math.max(from, last.until), until: null, reason }]
}

/** The retirements after the open one ends; one that would cover no instant is left out. */
export function endRetirement(retirements: readonly Retirement[], until: Instant): readonly Retirement[] {
  const last = retirements.at(-1)
  if (last === undefined || last.until !== null) return retirements
  const earlier = retirements.slice(0, -1)
  return until <= last.from ? earlier : [...earlier, { ...last, until }]
}
