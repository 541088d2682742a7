import type { ModelIdentity } from './model.ts'

/** The cruncher whose models are the organizer's, unless the operator names another one. */
export const defaultOrganizerId = 'organizer'

/** The organizer of a competition, and the baselines with which other models are compared. */
export interface Organizer {
  readonly cruncherId: string
  /** Names of models. */
  readonly baselines: readonly string[]
}

/**
 * participant: ranked and paid. organizer: a model of the organizer, neither ranked nor paid. baseline: an organizer's
 * model that the contract names, which the others can be required to beat.
 */
export type ModelRole = 'participant' | 'organizer' | 'baseline'

export function roleOf(
  { name, cruncherId }: Pick<ModelIdentity, 'name' | 'cruncherId'>,
  organizer: Organizer,
): ModelRole {
  if (cruncherId !== organizer.cruncherId) return 'participant'
  return isBaselineName(name, organizer) ? 'baseline' : 'organizer'
}

/** Why a model cannot take part, in words for its owner: it has the name of a baseline. `null` if it can. */
export function refusalOfName(
  { name, cruncherId }: Pick<ModelIdentity, 'name' | 'cruncherId'>,
  organizer: Organizer,
): string | null {
  if (cruncherId === organizer.cruncherId || !isBaselineName(name, organizer)) return null
  return `"${name}" is the name of a baseline, which only the organizer (cruncher "${organizer.cruncherId}") can submit: give the model another name`
}

/**
 * Why an organizer's model cannot have its new name: it would become a baseline, another one, or none, and so change
 * the floor of rounds that it has answered already. The floor must not depend on when a checkpoint closes.
 */
export function refusalOfRename(
  known: Pick<ModelIdentity, 'name' | 'cruncherId'>,
  announced: Pick<ModelIdentity, 'name'>,
  organizer: Organizer,
): string | null {
  if (known.cruncherId !== organizer.cruncherId) return null
  const [before, after] = [known, announced].map(({ name }) => (isBaselineName(name, organizer) ? nameKey(name) : null))
  if (before === after) return null
  const kind = before === null ? 'no baseline' : `the baseline "${known.name}"`
  return `the organizer's model "${known.name}" is ${kind}, and cannot become "${announced.name}": restore its name, or submit it under another id`
}

/** Names that read the same have the same key, however they are spelled: `Flat`, `ｆｌａｔ` and ` flat ` are `flat`. */
export function nameKey(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .trim()
    .toLowerCase()
}

function isBaselineName(name: string, { baselines }: Organizer): boolean {
  const key = nameKey(name)
  return baselines.some((baseline) => nameKey(baseline) === key)
}
