import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'

const codeFile = /\.[cm]?[jt]sx?$/
/** Folders without the author's code: packages, state of the node, submissions, recordings, hidden folders. */
const otherFolder = /^(\..*|node_modules|deployment|recordings|dist)$/

/**
 * Whether the author's code contains a variable's name as a word, e.g. in `process.env.NAME` or `{env:NAME}`. How the code uses the
 * name is not analysed.
 */
export function authorNames(nodeDirectory: string): (key: string) => boolean {
  let code: string | undefined
  return (key) => {
    code ??= [nodeDirectory, join(nodeDirectory, '..', 'challenge')].flatMap(readCode).join('\n')
    return new RegExp(`\\b${key}\\b`).test(code)
  }
}

function readCode(directory: string): string[] {
  return listEntries(directory).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return otherFolder.test(entry.name) ? [] : readCode(path)
    return entry.isFile() && codeFile.test(entry.name) ? [readFileSync(path, 'utf8')] : []
  })
}

function listEntries(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    return whenMissing([])(error)
  }
}
