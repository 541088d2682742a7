import { access, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from './orchestrator-error.ts'
import { RunFailure } from './run-failure.ts'

/** What a submission is written in; it decides what must be made ready before it can be started. */
export type SubmissionLanguage = 'typescript' | 'javascript' | 'python' | 'notebook'

/** A submission that can be run, and in which language. */
export interface Submission {
  readonly directory: string
  readonly language: SubmissionLanguage
}

const MAIN_FILES = ['main.ts', 'main.mts', 'main.js', 'main.mjs', 'main.cjs']

/** Looks at `directory` before a process is spent on it. Throws a `BUILD_FAILED` run failure that says what is missing. */
export async function inspectSubmission(directory: string): Promise<Submission> {
  const found = await stat(directory).catch((error: unknown) => {
    throw new RunFailure('BUILD_FAILED', `submission folder ${directory} cannot be opened (${errorText(error)})`, {
      cause: error,
    })
  })
  if (!found.isDirectory()) {
    throw new RunFailure('BUILD_FAILED', `${directory} is a file; a submission is a folder with a main.ts or main.js`)
  }
  for (const name of MAIN_FILES) {
    if (await exists(join(directory, name))) return { directory, language: 'javascript' }
  }
  const main = await packageMain(directory)
  if (main !== null && (await exists(join(directory, main)))) return { directory, language: 'javascript' }
  if (main !== null) {
    throw new RunFailure('BUILD_FAILED', `package.json names "${main}" as main, but ${directory} has no such file`)
  }
  if (await exists(join(directory, 'main.py'))) {
    throw new RunFailure(
      'BUILD_FAILED',
      `${directory} is a Python submission; this orchestrator runs main.ts and main.js`,
    )
  }
  throw new RunFailure(
    'BUILD_FAILED',
    `${directory} has no main.ts or main.js; add one that exports a class extending the base class`,
  )
}

async function packageMain(directory: string): Promise<string | null> {
  const path = join(directory, 'package.json')
  if (!(await exists(path))) return null
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'))
    const main = typeof content === 'object' && content !== null && 'main' in content ? content.main : null
    return typeof main === 'string' ? main : null
  } catch (error) {
    throw new RunFailure('BUILD_FAILED', `${path} cannot be read: ${errorText(error)}`, { cause: error })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
