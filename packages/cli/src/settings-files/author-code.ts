import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'

const codeFile = /\.[cm]?[jt]sx?$/
/** What is no code of the author's that the node loads: packages, the state of the node, submissions, recordings, hidden folders. */
const otherFolder = /^(\..*|node_modules|deployment|recordings|dist)$/

/**
 * Whether the author's code names a variable, be it as `process.env.NAME` or as `{env:NAME}`. It is looked for as a word: what code does
 * with a name cannot be known.
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
