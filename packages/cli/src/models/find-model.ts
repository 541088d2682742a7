import { CliError } from '../cli-error.ts'
import { nearestName } from '../engine.ts'

/** A model with the properties that identify it. */
export interface NamedModel {
  readonly id: string
  readonly name: string
}

/**
 * The model with this id, or else the only one with this name.
 * @throws CliError that suggests the most similar one.
 */
export function findModel<Model extends NamedModel>(models: readonly Model[], asked: string, place: string): Model {
  const byId = models.find(({ id }) => id === asked)
  if (byId !== undefined) return byId
  const [byName, ...others] = models.filter(({ name }) => name === asked)
  if (byName !== undefined && others.length === 0) return byName
  if (byName !== undefined) {
    const ids = [byName, ...others].map(({ id }) => id)
    throw unknownModel(asked, place, `${ids.length} models have this name`, `name one by its id: ${ids.join(', ')}`)
  }
  throw unknownModel(asked, place, 'no model has this id or name', fixFor(models, asked))
}

function fixFor(models: readonly NamedModel[], asked: string): string {
  if (models.length === 0) return 'add one with: crunch models add DIRECTORY'
  const nearest = nearestName(
    asked,
    models.flatMap(({ id, name }) => [id, name]),
  )
  const known = models.slice(0, 20).map(({ id, name }) => `${id} (${name})`)
  const list = `${known.join(', ')}${models.length > known.length ? ', ...' : ''}`
  return nearest === undefined ? `name one of: ${list}` : `did you mean ${nearest}? There are: ${list}`
}

function unknownModel(asked: string, place: string, cause: string, fix: string): CliError {
  return new CliError({ place: `model ${JSON.stringify(asked)} of ${place}`, cause, fix })
}
