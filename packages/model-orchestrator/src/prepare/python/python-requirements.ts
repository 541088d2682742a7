import { errorText } from '@crunch/local-processes/errors'
import { RunFailure } from '../../run-failure.ts'

/** A submission needs fewer. */
const MAX_REQUIREMENTS = 500
const MAX_CHARACTERS = 1_000
/** Enough for 500 packages with a hundred hashes each. */
const MAX_BYTES = 8 * 1024 * 1024

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'
const EXTRAS = `(?:\\[ *(?:${NAME} *(?:, *${NAME} *)*)?\\])?`
const VERSION = '(?:===|==|~=|!=|<=|>=|<|>) *[A-Za-z0-9.*+!_-]+'
const VERSIONS = `(?:${VERSION}(?: *, *${VERSION})*(?: *,)?)`
/** Markers: words, quoted texts, comparisons and parentheses. No word begins with a dash. */
const MARKER = `(?:[A-Za-z_. ()<>=!~]|'[A-Za-z0-9 .,*+!_-]*'|"[A-Za-z0-9 .,*+!_-]*")+`

/** A requirement by the Python packaging standard, without URLs: name, extras, versions, marker. */
const REQUIREMENT = new RegExp(`^${NAME} *${EXTRAS} *(?:${VERSIONS}|\\( *${VERSIONS} *\\))? *(?:; *${MARKER})?$`)
const HASH = /(?:^|\s)--hash[= ]([a-z0-9]+):([0-9a-f]+)(?=\s|$)/gi

/**
 * The requirements of a `requirements.txt` in order, without comments; each may end with hashes. Throws `BUILD_FAILED` for options,
 * URLs, paths and included files: the operator decides where packages come from, and submissions with the same lines share an
 * environment.
 */
export function parseRequirements(content: Buffer, place: string): readonly string[] {
  if (content.length > MAX_BYTES) {
    throw new RunFailure(
      'BUILD_FAILED',
      `${place} has ${content.length} bytes, more than ${MAX_BYTES}; list fewer packages`,
    )
  }
  const requirements: string[] = []
  for (const { line, number } of joinLines(decodeRequirements(content, place))) {
    const requirement = line
      .replace(/(^|\s)#.*$/, '')
      .replace(/\s+/g, ' ')
      .trim()
    if (requirement === '') continue
    checkRequirement(requirement, `${place} line ${number}`)
    requirements.push(requirement)
  }
  checkCount(requirements, place)
  return requirements
}

/** Throws `BUILD_FAILED` if there are too many requirements. */
export function checkCount(requirements: readonly string[], place: string): void {
  if (requirements.length <= MAX_REQUIREMENTS) return
  const problem = `has ${requirements.length} requirements, more than ${MAX_REQUIREMENTS}; name only what is imported`
  throw new RunFailure('BUILD_FAILED', `${place} ${problem}`)
}

const BYTE_ORDER_MARKS: readonly (readonly [mark: readonly number[], encoding: string])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe, 0, 0], 'utf-32-le'],
  [[0, 0, 0xfe, 0xff], 'utf-32-be'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

/** Decodes like pip: by byte order mark, else by a comment like `# coding: latin-1` in the first two lines, else as UTF-8. */
function decodeRequirements(content: Buffer, place: string): string {
  const [mark = [], marked] = BYTE_ORDER_MARKS.find(([bytes]) => bytes.every((byte, at) => content[at] === byte)) ?? []
  const head = content.subarray(0, 1_000).toString('latin1').split('\n').slice(0, 2)
  const named = head.map((line) => /^#.*coding[:=]\s*([-\w.]+)/.exec(line)?.[1]).find((name) => name !== undefined)
  const encoding = marked ?? named ?? 'utf-8'
  try {
    const rest = content.subarray(mark.length)
    if (encoding.startsWith('utf-32')) return decodeUtf32(rest, encoding === 'utf-32-be')
    return new TextDecoder(encodingLabel(encoding), { fatal: true }).decode(rest)
  } catch (error) {
    const problem = `${place} is not text in ${encoding}`
    throw new RunFailure('BUILD_FAILED', `${problem}; save it as UTF-8 (${errorText(error)})`, { cause: error })
  }
}

/** Maps Python's names of encodings to the Web's. */
function encodingLabel(name: string): string {
  const label = name.toLowerCase().replaceAll('_', '-')
  return /^latin-?1$|^iso-8859-1$|^l1$/.test(label) ? 'windows-1252' : label
}

function decodeUtf32(content: Buffer, isBigEndian: boolean): string {
  if (content.length % 4 !== 0) throw new Error('it ends within a character')
  let text = ''
  for (let at = 0; at < content.length; at += 4) {
    text += String.fromCodePoint(isBigEndian ? content.readUInt32BE(at) : content.readUInt32LE(at))
  }
  return text
}

/** Joins lines that end with a backslash, except comments; each gets the number of its first line. */
function joinLines(text: string): { readonly line: string; readonly number: number }[] {
  const joined: { line: string; number: number }[] = []
  let isContinued = false
  for (const [index, part] of text.split(/\r?\n/).entries()) {
    const line = part.replace(/\\$/, ' ')
    const last = joined.at(-1)
    if (isContinued && last) last.line += ` ${line}`
    else joined.push({ line, number: index + 1 })
    isContinued = part.endsWith('\\') && !/^\s*#/.test(part)
  }
  return joined
}

/** Throws `BUILD_FAILED` if the text is an option, a URL, a path or otherwise not a requirement. */
export function checkRequirement(requirement: string, place: string): void {
  const where = `${place}: "${requirement.slice(0, 200)}"`
  const refuse = (problem: string): never => {
    throw new RunFailure('BUILD_FAILED', `${where} ${problem}`)
  }
  if (requirement.startsWith('-')) refuse('is an option of pip; a submission names packages only, remove this line')
  const { text, hashes } = splitHashes(requirement)
  const unknown = hashes.find(({ kind, digest }) => kind !== 'sha256' || digest.length !== 64)
  if (unknown) refuse(`has a hash that is not a SHA-256; write it as --hash=sha256:… with 64 digits`)
  if (/(^|\s)-/.test(text)) refuse('contains an option of pip; only --hash may follow a package, remove other options')
  if (/:\/\/|@/.test(text)) {
    refuse('names a URL; packages come only from the package index: name a version that is available there')
  }
  if (/^[./~\\]|[/\\]|\.(whl|zip|tar\.\w+|tgz)$/i.test(text)) {
    refuse('is a path; packages come only from the package index: name a version that is available there')
  }
  if (text.length > MAX_CHARACTERS || !REQUIREMENT.test(text))
    refuse('is not a requirement; write it like "pandas==2.2.3"')
}

/** Splits a requirement from its hashes. */
export function splitHashes(requirement: string) {
  const hashes = [...requirement.matchAll(HASH)].map(([, kind = '', digest = '']) => ({
    kind: kind.toLowerCase(),
    digest: digest.toLowerCase(),
  }))
  return { text: requirement.replace(HASH, '').trim(), hashes }
}

/** The name of a requirement as package indexes compare it: `Scikit_Learn>=1` is `scikit-learn`. */
export function requirementName(requirement: string): string {
  const [name = ''] = /^[A-Za-z0-9._-]+/.exec(requirement) ?? []
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}
