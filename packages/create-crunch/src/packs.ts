import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateError } from './create-error.ts'

/** The pack whose files are the base folders. */
export const defaultPack = 'realtime'

/** A kind of competition: files that are copied over the base, after some files of the base were deleted. */
export interface Pack {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Files and folders of the base that the pack does not need, relative to the workspace. */
  readonly delete: readonly string[]
  /** The folder with its files, in the layout of a workspace. */
  readonly directory: string
}

/** The packs in a templates folder, the default one first. */
export function listPacks(templates: string): readonly Pack[] {
  const root = join(templates, 'packs')
  if (!existsSync(root)) {
    throw new CreateError(`${root} is missing: this installation of create-crunch is incomplete, install it again`)
  }
  return readdirSync(root)
    .sort((left, right) => Number(right === defaultPack) - Number(left === defaultPack) || (left < right ? -1 : 1))
    .map((name) => readPack(root, name))
}

/** The pack with that name. Throws for an unknown name and lists the known ones. */
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
