/** A cell that is no Python; `line` counts from 1. */
export class CellError extends Error {
  override readonly name = 'CellError'
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** One statement of a simple line; such a line may hold several, parted by `;`. */
export interface CellPart {
  readonly line: number
  readonly column: number
  /** Without comments; line ends are blanks. */
  readonly text: string
}

/** A statement at the top of a cell. Lines are indices from 0, `last` included. */
export interface CellStatement {
  readonly isCompound: boolean
  /** `def`, `class`, `for`, ...; what decides of a decorated one. Empty for simple lines. */
  readonly keyword: string
  readonly first: number
  readonly last: number
  /** Blank lines and comments before it; those before the first statement belong to the cell. */
  readonly leading: readonly number[]
  readonly parts: readonly CellPart[]
  /** Behind the last statement of a simple line, with its `#`. */
  readonly comment: string | null
  /** How many imports are inside a compound statement. */
  readonly nestedImports: number
}

/** A cell's Python, as far as it must be understood to choose what is kept. */
export interface PythonCell {
  /** As they were, but for commands to the notebook, which are comments now. */
  readonly lines: readonly string[]
  /** Commands such as `!pip install pandas`, by the index of their line. */
  readonly commands: readonly { readonly line: number; readonly text: string }[]
  readonly header: readonly number[]
  readonly statements: readonly CellStatement[]
  readonly footer: readonly number[]
}

const COMPOUND = /^(?:(?:if|for|while|try|with|def|class|async)\b|@|match\b.*:\s*$)/
/** What the notebook itself takes: the shell, magic words, and `pip` without either. */
const COMMAND = /^\s*(?:!|%|pip3? )/
const CLAUSE = /^(elif|else|except|finally)\b/
const STRING_START = /^(?:[rbuf]|rb|br|rf|fr)?("""|'''|"|')/i

interface LogicalLine {
  readonly first: number
  readonly last: number
  readonly indent: number
  readonly parts: readonly CellPart[]
  readonly comment: string | null
}

/** Splits a cell into its statements and takes commands to the notebook out. Throws a `CellError` for strings and brackets that are not closed, and wrong indents. */
export function readPythonCell(source: readonly string[]): PythonCell {
  const lines = [...source]
  const commands: { line: number; text: string }[] = []
  const logical = readLogicalLines(lines, commands)
  const statements: CellStatement[] = []
  let free = 0
  let at = 0
  while (at < logical.length) {
    const line = logical[at]
    if (line === undefined) break
    if (line.indent > 0) throw new CellError(line.first + 1, 'unexpected indent')
    const end = statementEnd(logical, at)
    const group = logical.slice(at, end)
    const last = blockEnd(lines, group, logical[end]?.first ?? lines.length)
    statements.push(describeStatement(group, last, range(free, line.first)))
    free = last + 1
    at = end
  }
  const [begin, ...rest] = statements
  const footer = range(free, lines.length)
  if (begin === undefined) return { lines, commands, header: footer, statements, footer: [] }
  return { lines, commands, header: begin.leading, statements: [{ ...begin, leading: [] }, ...rest], footer }
}

function describeStatement(group: readonly LogicalLine[], last: number, leading: readonly number[]): CellStatement {
  const [head] = group
  if (head === undefined) throw new Error('a statement without lines')
  const { parts, comment, first } = head
  if (!isCompound(head)) {
    return { isCompound: false, keyword: '', first, last, leading, parts, comment, nestedImports: 0 }
  }
  const decides = group.find((line) => line.indent === 0 && !textOf(line).startsWith('@')) ?? head
  const words = textOf(decides).split(/\W+/)
  const keyword = words[0] === 'async' ? (words[1] ?? '') : (words[0] ?? '')
  const isImport = ({ text }: CellPart) => /(^|:\s*)(import|from)\s/.test(text)
  const nestedImports = group.flatMap((line) => line.parts.filter(isImport)).length
  return { isCompound: true, keyword, first, last, leading, parts: [], comment: null, nestedImports }
}

function isCompound(line: LogicalLine): boolean {
  return COMPOUND.test(line.parts.map(({ text }) => text).join(';'))
}

function textOf(line: LogicalLine): string {
  return line.parts[0]?.text ?? ''
}

/** Index of the first logical line behind the statement that begins at `at`. */
function statementEnd(logical: readonly LogicalLine[], at: number): number {
  const head = logical[at]
  if (head === undefined || !isCompound(head)) return at + 1
  let end = at
  while (textOf(logical[end] ?? head).startsWith('@') && end + 1 < logical.length) end += 1
  end += 1
  while (end < logical.length) {
    const next = logical[end]
    if (next === undefined || (next.indent === 0 && !CLAUSE.test(textOf(next)))) break
    end += 1
  }
  return end
}

/** Comments as deep as the block behind its last line still belong to it; others to what follows. */
function blockEnd(lines: readonly string[], group: readonly LogicalLine[], before: number): number {
  const last = group.at(-1)?.last ?? 0
  const clause = group.findLastIndex((line) => line.indent === 0)
  const blockIndent = group[clause + 1]?.indent
  if (blockIndent === undefined) return last
  for (let line = before - 1; line > last; line -= 1) {
    const text = lines[line] ?? ''
    if (text.trim() !== '' && indentOf(text) >= blockIndent) return line
  }
  return last
}

function readLogicalLines(lines: string[], commands: { line: number; text: string }[]): readonly LogicalLine[] {
  const logical: LogicalLine[] = []
  let at = 0
  while (at < lines.length) {
    if (COMMAND.test(lines[at] ?? '')) commands.push(commentOutCommand(lines, at))
    if (/^\s*(#.*)?$/.test(lines[at] ?? '')) {
      at += 1
      continue
    }
    const line = readLogicalLine(lines, at)
    logical.push(line)
    at = line.last + 1
  }
  return logical
}

/** In a block a statement must stay, for the block may have no other. A backslash carries a command to the next line. */
function commentOutCommand(lines: string[], at: number): { line: number; text: string } {
  const words: string[] = []
  for (let line = at; line < lines.length; line += 1) {
    const text = lines[line] ?? ''
    const indent = line === at ? text.slice(0, indentOf(text)) : ''
    lines[line] = indent === '' ? `#${text}` : `${indent}pass  #${text.trimStart()}`
    words.push(text.trim().replace(/\\$/, ''))
    if (!text.trimEnd().endsWith('\\')) break
  }
  return { line: at, text: words.join(' ') }
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

function readLogicalLine(lines: readonly string[], first: number): LogicalLine {
  const parts: CellPart[] = []
  const open: { readonly bracket: string; readonly line: number }[] = []
  let line = first
  let column = indentOf(lines[first] ?? '')
  let part = { line, column, text: '' }
  let comment: string | null = null
  const endPart = () => {
    if (part.text.trim() !== '') parts.push({ ...part, text: part.text.trim() })
  }
  for (;;) {
    const text = lines[line] ?? ''
    const rest = text.slice(column)
    const isContinued = rest === '\\'
    if (rest === '' || rest.startsWith('#') || isContinued) {
      if (rest.startsWith('#')) comment = rest
      if (open.length === 0 && !isContinued) break
      if (line + 1 >= lines.length) {
        if (isContinued) break
        throw new CellError((open.at(-1)?.line ?? line) + 1, `"${open.at(-1)?.bracket}" was never closed`)
      }
      comment = null
      line += 1
      column = 0
      part.text += ' '
      continue
    }
    const quote = /\w/.test(text[column - 1] ?? '') ? null : STRING_START.exec(rest)
    if (quote !== null) {
      const end = stringEnd(lines, line, column + quote[0].length, quote[1] ?? '"')
      part.text += '""'
      line = end.line
      column = end.column
      continue
    }
    const character = rest[0] ?? ''
    if (character in CLOSING) open.push({ bracket: character, line })
    if (')]}'.includes(character) && CLOSING[open.pop()?.bracket ?? ''] !== character) {
      throw new CellError(line + 1, `unmatched "${character}"`)
    }
    column += 1
    if (character === ';' && open.length === 0) {
      endPart()
      column += /^\s*/.exec(text.slice(column))?.[0].length ?? 0
      part = { line, column, text: '' }
    } else {
      part.text += character
    }
  }
  endPart()
  return { first, last: line, indent: indentOf(lines[first] ?? ''), parts, comment }
}

/** The place behind the closing quote. */
function stringEnd(lines: readonly string[], first: number, start: number, quote: string) {
  let column = start
  for (let line = first; line < lines.length; line += 1) {
    const text = lines[line] ?? ''
    for (; column < text.length; column += 1) {
      if (text[column] === '\\') column += 1
      else if (text.startsWith(quote, column)) return { line, column: column + quote.length }
    }
    // A backslash at the end of the line carries a short string over to the next.
    if (quote.length === 1 && column === text.length) break
    column = 0
  }
  throw new CellError(first + 1, `the string that begins with ${quote} is not closed`)
}

function indentOf(text: string): number {
  return /^\s*/.exec(text)?.[0].length ?? 0
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}
