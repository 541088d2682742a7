/** One line `KEY=value` of a settings file. */
export interface SettingLine {
  readonly key: string
  readonly value: string
  readonly line: number
}

/** An invalid line and its fix. Neither text contains the value, which may be a secret. */
export interface SettingsProblem {
  readonly line: number
  readonly cause: string
  readonly fix: string
}

export interface ParsedSettings {
  readonly lines: readonly SettingLine[]
  readonly problems: readonly SettingsProblem[]
}

// Libraries do not report lines that they drop or values that they truncate: Node's `parseEnv` and `dotenv` skip invalid lines.
// Docker compose and shells may read the same file, and disagree about much of the syntax. This parser accepts only what they read
// alike, and lists with blanks around their commas, which are common.

/**
 * Parses a settings file. A `#` starts a comment at the beginning of a line and after a blank; elsewhere it is part of the value.
 */
export function parseSettings(text: string): ParsedSettings {
  const results = text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((content, index) => parseLine(content, index + 1))
  const lines: SettingLine[] = []
  const problems: SettingsProblem[] = []
  const firstLines = new Map<string, number>()
  for (const result of results) {
    if (result === undefined) continue
    if ('cause' in result) {
      problems.push(result)
      continue
    }
    const first = firstLines.get(result.key)
    if (first === undefined) {
      firstLines.set(result.key, result.line)
      lines.push(result)
    } else {
      const cause = `${result.key} is set a second time; the first time is line ${first}`
      problems.push({ line: result.line, cause, fix: 'remove one of the two lines' })
    }
  }
  return { lines, problems }
}

/** Invisible characters that editors and web pages insert: control characters, no-break and zero-width spaces, direction marks. */
const invisible = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0]/u

function parseLine(content: string, line: number): SettingLine | SettingsProblem | undefined {
  const trimmed = content.replace(/^[ \t]+/, '')
  if (trimmed === '' || trimmed.startsWith('#')) return undefined
  const character = invisible.exec(content)?.[0]
  if (character !== undefined) {
    const name = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
    return {
      line,
      cause: `it contains the invisible character ${name}`,
      fix: 'delete this character, or type the line again',
    }
  }
  const declaration = trimmed.replace(/^export[ \t]+/, '')
  const parts = /^([^=]*)=(.*)$/.exec(declaration)
  if (parts === null) return { line, ...noAssignment(declaration) }
  const [, key = '', rest = ''] = parts
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return { line, ...badKey(key) }
  const read = readValue(rest)
  return 'value' in read ? { key, value: read.value, line } : { line, cause: `${key}: ${read.cause}`, fix: read.fix }
}

type Refusal = Pick<SettingsProblem, 'cause' | 'fix'>

function noAssignment(text: string): Refusal {
  const yaml = /^([A-Za-z_]\w*):(\s|$)/.exec(text)?.[1]
  if (yaml !== undefined) return { cause: `"${yaml}:" is YAML`, fix: `write ${yaml}=value` }
  return { cause: 'it has no "="', fix: 'write KEY=value, or put # before a comment' }
}

function badKey(key: string): Refusal {
  const bare = key.trim()
  if (bare !== key && /^[A-Za-z_]\w*$/.test(bare)) {
    return { cause: `there is a blank between ${bare} and "="`, fix: `write ${bare}=value` }
  }
  const yaml = /^\s*([A-Za-z_]\w*)\s*:/.exec(key)?.[1]
  if (yaml !== undefined) return { cause: `"${yaml}:" is YAML`, fix: `write ${yaml}=value` }
  const cause = bare === '' ? 'there is no name before "="' : 'the text before "=" is not a name of a setting'
  return { cause, fix: 'write KEY=value; a name consists of letters, digits and _' }
}

/** Characters that a shell or docker compose would interpret in an unquoted value. */
const special = /[$`\\&;|<>()'"]/
const singleQuotes = "put the value between single quotes: KEY='value'"

function readValue(rest: string): { readonly value: string } | Refusal {
  const quote = /^['"]/.exec(rest)?.[0]
  if (quote !== undefined) return readQuoted(rest, quote)
  if (/^[ \t]+\S/.test(rest)) {
    return {
      cause: 'there is a blank after "="',
      fix: 'write KEY=value, without blanks; for an empty value, KEY= alone',
    }
  }
  // Only `#` after a blank starts a comment in every program: docker compose does not accept a tab before it.
  const value = rest.replace(/ +#.*$/, '').replace(/[ \t]+$/, '')
  if (/\t#/.test(value)) return { cause: 'there is a tab before "#"', fix: 'put a blank before the comment' }
  // A list with blanks. Docker compose and dotenv read it literally; a shell fails with "command not found".
  if (/[ \t]/.test(value.replaceAll(/ *, */g, ','))) return { cause: 'the value contains a blank', fix: singleQuotes }
  if (/^[“”‘’]/.test(value))
    return { cause: 'the value begins with a typographic quote', fix: 'use plain quotes: \' or "' }
  if (value.startsWith('~')) return { cause: 'a shell would replace the "~"', fix: 'write the whole path' }
  const found = special.exec(value)?.[0]
  if (found === undefined) return { value }
  return {
    cause: `the value contains ${found}, which shells and docker compose do not take literally`,
    fix: singleQuotes,
  }
}

function readQuoted(rest: string, quote: string): { readonly value: string } | Refusal {
  const end = rest.indexOf(quote, 1)
  const inner = rest.slice(1, end === -1 ? undefined : end)
  // Checked before the missing quote: in double quotes, the last quote may be an escaped one.
  const found = quote === '"' ? /[$`\\]/.exec(inner)?.[0] : undefined
  if (found !== undefined) {
    const cause = `between double quotes, ${found} does not mean the same to docker compose and to shells`
    return { cause, fix: "put the value between single quotes: KEY='value'" }
  }
  if (end === -1)
    return { cause: `the quote ${quote} is not closed on this line`, fix: `write ${quote} at the end of the value` }
  if (/^[ \t]*$|^ +#/.test(rest.slice(end + 1))) return { value: inner }
  return {
    cause: `there is text after the closing quote ${quote}`,
    fix: 'put the whole value between one pair of quotes',
  }
}
