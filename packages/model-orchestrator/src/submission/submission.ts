import { access, readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { holds } from '../confine/visible-paths.ts'
import { RunFailure } from '../run-failure.ts'

/** The language of a submission, which decides how it is prepared. */
export type SubmissionLanguage = 'typescript' | 'javascript' | 'python' | 'notebook'

/** A submission that can be run. */
export interface Submission {
  readonly directory: string
  readonly language: SubmissionLanguage
  /** The main file, relative to the folder. */
  readonly main: string
}

const MAIN_FILES = ['main.ts', 'main.mts', 'main.js', 'main.mjs', 'main.cjs']
const PYTHON_MAIN = 'main.py'

/** Inspects a folder before a process is started for it. Throws a `BUILD_FAILED` run failure that says what is missing. */
export async function inspectSubmission(directory: string): Promise<Submission> {
  const names = await fileNames(directory)
  const main = MAIN_FILES.find((name) => names.has(name)) ?? (await packageMain(directory))
  const hasPython = names.has(PYTHON_MAIN)
  if (main !== null && hasPython) {
    throw new RunFailure(
      'BUILD_FAILED',
      `${directory} has both ${main} and ${PYTHON_MAIN}; a submission is written in one language: remove one of them`,
    )
  }
  if (main !== null) return { directory, language: isTypeScript(main) ? 'typescript' : 'javascript', main }
  if (hasPython) return { directory, language: 'python', main: PYTHON_MAIN }
  const notebooks = [...names].filter((name) => /\.ipynb$/i.test(name)).sort()
  const [notebook] = notebooks
  if (notebooks.length > 1) {
    throw new RunFailure(
      'BUILD_FAILED',
      `${directory} has ${notebooks.length} notebooks (${notebooks.join(', ')}); keep the one that contains the model`,
    )
  }
  if (notebook !== undefined) return { directory, language: 'notebook', main: notebook }
  throw new RunFailure(
    'BUILD_FAILED',
    `${directory} has no main.ts or main.js, no main.py and no notebook; add one with a class that extends the base class`,
  )
}

async function fileNames(directory: string): Promise<ReadonlySet<string>> {
  const found = await stat(directory).catch((error: unknown) => {
    throw new RunFailure('BUILD_FAILED', `submission folder ${directory} cannot be opened (${errorText(error)})`, {
      cause: error,
    })
  })
  if (!found.isDirectory()) {
    throw new RunFailure(
      'BUILD_FAILED',
      `${directory} is a file; a submission is a folder with a main.ts, a main.js, a main.py or a notebook`,
    )
  }
  return new Set(await readdir(directory))
}

function isTypeScript(main: string): boolean {
  return ['.ts', '.mts', '.cts'].includes(extname(main))
}

async function packageMain(directory: string): Promise<string | null> {
  const path = join(directory, 'package.json')
  if (!(await exists(path))) return null
  const main = await readPackageMain(path)
  if (main !== null && !holds(resolve(directory), resolve(directory, main))) {
    throw new RunFailure('BUILD_FAILED', `${path} names "${main}" as main, which is outside of the submission`)
  }
  if (main === null || (await exists(join(directory, main)))) return main
  throw new RunFailure('BUILD_FAILED', `package.json names "${main}" as main, but ${directory} has no such file`)
}

async function readPackageMain(path: string): Promise<string | null> {
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
