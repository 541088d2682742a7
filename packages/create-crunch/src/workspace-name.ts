const longest = 40

/**
 * Why a text cannot be the name of a workspace; `undefined` if it can. The name becomes the competition's id and part of npm
 * package names, so it must be valid for both.
 */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty: give it a name such as "my-challenge"'
  const problem = unusable(name)
  if (problem === undefined) return undefined
  const suggestion = suggestName(name)
  return suggestion === undefined ? problem : `${problem}: write "${suggestion}"`
}

/** The nearest allowed name; `undefined` if no allowed character is left. */
export function suggestName(text: string): string | undefined {
  const name = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, longest)
    .replace(/-+$/, '')
  return name === '' ? undefined : name
}

function unusable(name: string): string | undefined {
  if (name.length > longest) return `it has ${name.length} characters, at most ${longest} are allowed`
  if (/[A-Z]/.test(name)) return 'it has capital letters, which npm refuses'
  const bad = /[^a-z0-9-]/u.exec(name)?.[0]
  if (bad !== undefined) return `it has ${JSON.stringify(bad)}, only a to z, 0 to 9 and hyphens are allowed`
  if (!/^[a-z]/.test(name)) return 'it must begin with a letter'
  if (name.endsWith('-')) return 'it must not end with a hyphen'
  return undefined
}
