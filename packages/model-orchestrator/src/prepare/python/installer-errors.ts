/** pip lists all versions that it found. */
const MATTERS_CHARACTERS = 300

/** Pip's messages around the error, and about versions that it did not consider. */
const SAYS_NOTHING = 'subprocess-exited|metadata-generation-failed|ResolutionImpossible|Ignored the following'
/** Lines that contain the cause, most specific first: the conclusion of uv, a compiler's line, an error of pip or a program. */
const CAUSES = [
  /^\s*╰─▶ (.*)/,
  /^\s*(\S+:\d+(?::\d+)?: (?:fatal )?error: .*)/,
  new RegExp(`^\\s*(?:fatal )?error: (?!${SAYS_NOTHING})(.*)`, 'i'),
]
const END_OF_OUTPUT = /^\s*\[end of output\]/

/** The line in which pip, uv or a build reports the error; null if there is none. */
export function lineThatMatters(tail: readonly string[]): string | null {
  const matches = CAUSES.map((pattern) =>
    tail.map((line) => pattern.exec(line)?.[1]).find((line) => line !== undefined),
  )
  // The output of a build without a compiler ends with its exception.
  const [verdict, compiled, error] = matches
  const thrown = tail[tail.findIndex((line) => END_OF_OUTPUT.test(line)) - 1]?.trim()
  const found = verdict ?? compiled ?? thrown ?? error ?? null
  if (found === null || found.length <= MATTERS_CHARACTERS) return found
  return `${found.slice(0, MATTERS_CHARACTERS)}…`
}
