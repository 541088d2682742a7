/** A word as a shell would pass it to a program. */
export interface ShellWord {
  readonly text: string
  /** Whether the shell or IPython would substitute parts of it (`$x`, `$(…)`, `{x}`, backquotes), so that its value is unknown. */
  readonly isDynamic: boolean
}

/** One command of a shell line: its words, without redirections. */
export interface ShellCommand {
  readonly words: readonly ShellWord[]
  /** Redirections, such as `>=2`, which the author may have meant as a version. */
  readonly redirections: readonly string[]
}

const SEPARATOR = /^[;&|()\n]/
const REDIRECTION = /^(?:&>>?|>>|>\||>&|<<<|<<|<&|<>|[<>])/
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '{': '}' }

/**
 * Splits a line into the commands that a shell would run, and each command into words. Understands quotes, escapes, comments,
 * substitutions, pipes and redirections. Returns null if a quote or a bracket stays open.
 */
export function shellCommands(line: string): readonly ShellCommand[] | null {
  const commands: { words: ShellWord[]; redirections: string[] }[] = [{ words: [], redirections: [] }]
  let at = 0
  while (at < line.length) {
    const rest = line.slice(at, at + 3)
    const last = commands[commands.length - 1]
    const redirection = REDIRECTION.exec(rest)?.[0]
    if (/^[ \t\r]/.test(rest)) at += 1
    else if (rest.startsWith('#')) {
      const end = line.indexOf('\n', at)
      at = end < 0 ? line.length : end
    } else if (redirection === undefined && SEPARATOR.test(rest)) {
      commands.push({ words: [], redirections: [] })
      at += 1
    } else if (redirection !== undefined) {
      const from = at + redirection.length
      const blanks = /^[ \t]*/.exec(line.slice(from))?.[0].length ?? 0
      const target = readWord(line, from + blanks)
      if (target === null) return null
      last?.redirections.push(line.slice(at, target.end))
      at = target.end
    } else {
      const word = readWord(line, at)
      if (word === null) return null
      // "2>file" redirects a stream: the digit is not a word.
      if (!(/^\d$/.test(line.slice(at, word.end)) && /[<>]/.test(line.charAt(word.end)))) last?.words.push(word)
      at = word.end
    }
  }
  return commands.filter(({ words }) => words.length > 0)
}

/** The word that begins at `at`, possibly empty; null if a quote or a bracket stays open. */
function readWord(line: string, at: number): (ShellWord & { readonly end: number }) | null {
  let text = ''
  let isDynamic = false
  let end = at
  while (end < line.length && !/[\s;&|()<>]/.test(line.charAt(end))) {
    const part = readPart(line, end)
    if (part === null) return null
    text += part.text
    isDynamic ||= part.isDynamic
    end = part.end
  }
  return { text, isDynamic, end }
}

function readPart(line: string, at: number): (ShellWord & { readonly end: number }) | null {
  const letter = line.charAt(at)
  if (letter === "'") return readQuoted(line, at, "'")
  if (letter === '"') return readQuoted(line, at, '"')
  if (letter === '`') {
    const end = line.indexOf('`', at + 1)
    return end < 0 ? null : { text: line.slice(at, end + 1), isDynamic: true, end: end + 1 }
  }
  if (letter === '$' || letter === '{') {
    const open = letter === '$' ? at + 1 : at
    const end = endOfBracket(line, open)
    return end === null ? null : { text: line.slice(at, end), isDynamic: true, end }
  }
  if (letter === '\\') return { text: line.charAt(at + 1), isDynamic: false, end: Math.min(at + 2, line.length) }
  return { text: letter, isDynamic: false, end: at + 1 }
}

function readQuoted(line: string, at: number, quote: string): (ShellWord & { readonly end: number }) | null {
  let text = ''
  let isDynamic = false
  for (let end = at + 1; end < line.length; end += 1) {
    const letter = line.charAt(end)
    if (letter === quote) return { text, isDynamic, end: end + 1 }
    if (quote === '"' && letter === '\\' && /["\\$`]/.test(line.charAt(end + 1))) end += 1
    // IPython substitutes {names} even between single quotes.
    else if (letter === '{' || (quote === '"' && /[$`]/.test(letter))) isDynamic = true
    text += line.charAt(end)
  }
  return null
}

/** The end of the bracket that opens at `at`; `at` itself if there is none; null if it stays open. */
function endOfBracket(line: string, at: number): number | null {
  const closing = CLOSING[line.charAt(at)]
  if (closing === undefined) return at
  let depth = 0
  for (let end = at; end < line.length; end += 1) {
    if (line.charAt(end) === line.charAt(at)) depth += 1
    else if (line.charAt(end) === closing) depth -= 1
    if (depth === 0) return end + 1
  }
  return null
}
