import { RunFailure } from '../../run-failure.ts'

/** More lines are no list of requirements. */
const MAX_REQUIREMENTS = 500
const MAX_CHARACTERS = 1_000

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'
const EXTRAS = `(?:\\[ *(?:${NAME} *(?:, *${NAME} *)*)?\\])?`
const VERSION = '(?:===|==|~=|!=|<=|>=|<|>) *[A-Za-z0-9.*+!_-]+'
const VERSIONS = `(?:${VERSION}(?: *, *${VERSION})*(?: *,)?)`
/** Words of the language of markers, texts in quotes, comparisons and parentheses: no word begins with a dash. */
const MARKER = `(?:[A-Za-z_. ()<>=!~]|'[A-Za-z0-9 .,*+!_-]*'|"[A-Za-z0-9 .,*+!_-]*")+`

/** A name, extras, versions, a marker: a requirement of the Python packaging standard that names a package of an index. */
const REQUIREMENT = new RegExp(`^${NAME} *${EXTRAS} *(?:${VERSIONS}|\\( *${VERSIONS} *\\))? *(?:; *${MARKER})?$`)
const HASH = /(?:^|\s)--hash[= ]([a-z0-9]+):([0-9a-f]+)(?=\s|$)/gi

/**
 * The requirements of a `requirements.txt`, without comments, in its order; each may end with hashes. Options, addresses,
 * paths and files that include others are refused with `BUILD_FAILED`: where packages come from is the operator's
 * business, and an environment is shared by all submissions with the same lines.
 */
export function parseRequirements(text: string, place: string): readonly string[] {
  const requirements: string[] = []
  for (const { line, number } of joinLines(text)) {
    const requirement = line
      .replace(/(^|\s)#.*$/, '')
      .replace(/\s+/g, ' ')
      .trim()
    if (requirement === '') continue
    checkRequirement(requirement, `${place} line ${number}`)
    requirements.push(requirement)
  }
  if (requirements.length <= MAX_REQUIREMENTS) return requirements
  throw new RunFailure(
    'BUILD_FAILED',
    `${place} has ${requirements.length} requirements, more than ${MAX_REQUIREMENTS}; name only what is imported`,
  )
}

/** A backslash at the end of a line continues it, as pip reads it; the number is that of its first line. */
function joinLines(text: string): { readonly line: string; readonly number: number }[] {
  const joined: { line: string; number: number }[] = []
  let isContinued = false
  for (const [index, part] of text.split(/\r?\n/).entries()) {
    const line = part.replace(/\\$/, ' ')
    const last = joined.at(-1)
    if (isContinued && last) last.line += line
    else joined.push({ line, number: index + 1 })
    isContinued = part.endsWith('\\')
  }
  return joined
}

/** Throws `BUILD_FAILED` when the text is no requirement but an option, an address, a path or nonsense. */
export function checkRequirement(requirement: string, place: string): void {
  const where = `${place}: "${requirement.slice(0, 200)}"`
  const refuse = (problem: string): never => {
    throw new RunFailure('BUILD_FAILED', `${where} ${problem}`)
  }
  if (requirement.startsWith('-')) refuse('is an option of pip; a submission names packages only, remove this line')
  const { text, hashes } = splitHashes(requirement)
  const unknown = hashes.find(({ kind, digest }) => kind !== 'sha256' || digest.length !== 64)
  if (unknown) refuse(`has a hash that is not a SHA-256; write it as --hash=sha256:… with 64 digits`)
  if (/(^|\s)-/.test(text)) refuse('holds an option of pip; only --hash may follow a package, remove the others')
  if (/:\/\/|@/.test(text)) {
    refuse('names a URL; packages come only from the package index: name a version that is available there')
  }
  if (/^[./~\\]|[/\\]|\.(whl|zip|tar\.\w+|tgz)$/i.test(text)) {
    refuse('is a path; packages come only from the package index: name a version that is available there')
  }
  if (text.length > MAX_CHARACTERS || !REQUIREMENT.test(text))
    refuse('is not a requirement; write it like "pandas==2.2.3"')
}

/** A requirement without the hashes behind it. */
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
