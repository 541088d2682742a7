/** The facts that explain the failure of a run. */
export interface FailedRun {
  /** The folders of its code, the most specific one first. */
  readonly directories: readonly string[]
  readonly isPython: boolean
  /** The newest lines of stderr, oldest first. */
  readonly errorLines: readonly string[]
}

/** How both runners report that no class fits; ours appends the cause, if there is one. */
const NO_CLASS = /No Inherited class found from <class '([^']+)'>\.\s*/
const SETUP_FAILED = 'Setup was answered with SETUP_FAILED: '
/** A log line of the deployed runner, which begins a new block. */
const RUNNER_LINE = /^[A-Z]+\s+- /
/** The last line of a traceback, such as `ModuleNotFoundError: No module named 'x'`. */
const EXCEPTION = /^[A-Za-z_][\w.]*(: .*)?$/

/**
 * Puts the place and the cause before the reason that a coordinator reported. For an error in a participant's file the
 * deployed runner only answers "No Inherited class found"; the cause is in its log, which coordinators cannot see.
 */
export function explainReport(reason: string, run: FailedRun): string {
  const text = withoutDirectories(reason, run)
  const noClass = NO_CLASS.exec(text)
  if (noClass !== null) {
    const [sentence, baseClass = ''] = noClass
    const end = noClass.index + sentence.length
    const cause = text.slice(end).trim() || importError(run) || missingClass(baseClass, run)
    return `${cause} (${text.slice(0, end).trim()})`
  }
  const place = text.startsWith(SETUP_FAILED) ? placeOfError(run) : null
  return place === null ? text : `${place}: ${text.slice(SETUP_FAILED.length)} (${SETUP_FAILED.slice(0, -2)})`
}

/** Makes paths relative to the submission, as its author knows them. */
export function withoutDirectories(text: string, { directories }: Pick<FailedRun, 'directories'>): string {
  return directories.reduce((rest, directory) => rest.replaceAll(`${directory}/`, ''), text)
}

function missingClass(baseClass: string, { isPython }: FailedRun): string {
  const name = baseClass.slice(baseClass.lastIndexOf('.') + 1)
  return isPython
    ? `none of its files has a class that extends ${name}; write class MyModel(${name})`
    : `its main file exports no class that extends ${name}; write export class MyModel extends ${name}`
}

/** Why a file could not be imported, from the log of the deployed runner. Errors of the main file come first. */
function importError(run: FailedRun): string | null {
  if (!run.isPython) return null
  const { errorLines } = run
  const isImport = (name: string) => (line: string) => line.includes(`- Error importing module '${name}`)
  const ofMain = errorLines.findLastIndex(isImport("main'"))
  const start = ofMain === -1 ? errorLines.findLastIndex(isImport('')) : ofMain
  if (start === -1) return null
  const after = errorLines.slice(start + 1)
  const end = after.findIndex((line) => RUNNER_LINE.test(line))
  const block = end === -1 ? after : after.slice(0, end)
  const exception = block.findLast((line) => EXCEPTION.test(line))
  if (exception === undefined) return null
  const place = placeOfError({ ...run, errorLines: block })
  return place === null ? exception : `${place}: ${exception}`
}

/** The innermost line of the submission in the newest stack trace. */
function placeOfError({ directories, isPython, errorLines }: FailedRun): string | null {
  const places = errorLines.map((line) => placeIn(line, directories, isPython))
  // Python names the innermost call last, JavaScript first, below the message.
  if (isPython) return places.findLast((place) => place !== null) ?? null
  const start = errorLines.findLastIndex((line) => RUNNER_LINE.test(line))
  return places.slice(start + 1).find((place) => place !== null) ?? null
}

function placeIn(line: string, directories: readonly string[], isPython: boolean): string | null {
  const directory = directories.find((candidate) => line.includes(`${candidate}/`))
  if (directory === undefined) return null
  const rest = line.slice(line.indexOf(`${directory}/`) + directory.length + 1)
  const found = (isPython ? /^([^"]+)", line (\d+)/ : /^([^:]+):(\d+)/).exec(rest)
  return found === null ? null : `${found[1]} line ${found[2]}`
}
