import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateError } from './create-error.ts'

/** The pack that the base folders are. */
export const defaultPack = 'realtime'

/** A kind of competition: files laid over the base, after some of the base are left out. */
export interface Pack {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Files and folders of the base, relative to the workspace, that the pack does without. */
  readonly delete: readonly string[]
  /** Where its files are; they lie as in a workspace. */
  readonly directory: string
}

/** The packs of a templates folder, the default one first. */
export function listPacks(templates: string): readonly Pack[] {
  const root = join(templates, 'packs')
  if (!existsSync(root)) {
    throw new CreateError(`${root} is missing: this installation of create-crunch is incomplete, install it again`)
  }
  return readdirSync(root)
    .sort((left, right) => Number(right === defaultPack) - Number(left === defaultPack) || (left < right ? -1 : 1))
    .map((name) => readPack(root, name))
}

/** The pack of that name; an unknown one is an error that lists the known ones. */
export function findPack(packs: readonly Pack[], name: string): Pack {
  const pack = packs.find((candidate) => candidate.name === name)
  if (pack !== undefined) return pack
  const known = packs.map((candidate) => candidate.name).join(', ')
  throw new CreateError(`There is no pack "${name}": --pack takes one of ${known}.`)
}

function readPack(root: string, name: string): Pack {
  const file = join(root, name, 'pack.json')
  const { title, description, delete: paths } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Pack>
  if (title === undefined || description === undefined || paths === undefined) {
    throw new Error(`${file} needs "title", "description" and "delete"`)
  }
  return { name, title, description, delete: paths, directory: join(root, name) }
}
