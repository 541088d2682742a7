import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds the whole project. */
export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')
