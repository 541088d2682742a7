import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import type { CliProblem } from '../cli-error.ts'
import { type AnyContract, webConfigFiles, webConfigFolder, webConfigProblems } from '../engine.ts'
import { parseJson } from '../parse-json.ts'
import type { Workspace } from '../workspace.ts'

/** Where the files of the web application's configuration no longer fit the contract. A workspace need not have them. */
export async function checkWebConfigFiles(workspace: Workspace, contract: AnyContract): Promise<readonly CliProblem[]> {
  const problems = await Promise.all(
    webConfigFiles.map(async (file) => {
      const path = join(workspace.nodeDirectory, webConfigFolder, file)
      const text = await textOf(path)
      if (text === null) return []
      const content = parseJson(text)
      if (content === undefined) return [{ place: path, cause: 'it is no valid JSON', fix: 'correct it, or delete it' }]
      return webConfigProblems(file, content, contract).map(({ key, cause, fix }) => ({
        ...{ cause, fix },
        place: key === '' ? path : `${path}: ${key}`,
      }))
    }),
  )
  return problems.flat()
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null
    throw error
  }
}
