import { RunFailure } from './run-failure.ts'

/** More lines are no list of requirements. */
const MAX_REQUIREMENTS = 500

/** A name, extras, versions or an address, a marker: what the Python packaging standard calls a requirement. */
const REQUIREMENT =
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[^\]]*\])?\s*(?:[<>=!~(;].*|@\s*(?:git\+)?https:\/\/.*)?$/

/**
 * The requirements of a `requirements.txt`, without comments, in its order. Options, paths and files that include others
 * are refused with `BUILD_FAILED`: where packages come from is the operator's business, set in pip's own configuration,
 * and an environment is shared by all submissions with the same lines.
 */
export function parseRequirements(text: string, place: string): readonly string[] {
  const requirements: string[] = []
  // A backslash at the end of a line continues it, as pip reads it.
  const lines = text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    const requirement = line.replace(/(^|\s)#.*$/, '').trim()
    if (requirement === '') continue
    const where = `${place} line ${index + 1}`
    checkRequirement(requirement, where)
    requirements.push(requirement)
  }
  if (requirements.length <= MAX_REQUIREMENTS) return requirements
  throw new RunFailure(
    'BUILD_FAILED',
    `${place} has ${requirements.length} requirements, more than ${MAX_REQUIREMENTS}; name only what is imported`,
  )
}

/** Throws `BUILD_FAILED` when the text is no requirement but an option, a path or nonsense. */
export function checkRequirement(requirement: string, place: string): void {
  const where = `${place}: "${requirement.slice(0, 200)}"`
  if (requirement.startsWith('-')) {
    throw new RunFailure(
      'BUILD_FAILED',
      `${where} is an option of pip; a submission names packages only, remove this line`,
    )
  }
  if (REQUIREMENT.test(requirement)) return
  throw new RunFailure('BUILD_FAILED', `${where} is no requirement; write it like "pandas==2.2.3"`)
}

/** The name of a requirement as package indexes compare it: `Scikit_Learn>=1` is `scikit-learn`. */
export function requirementName(requirement: string): string {
  const [name = ''] = /^[A-Za-z0-9._-]+/.exec(requirement) ?? []
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}
