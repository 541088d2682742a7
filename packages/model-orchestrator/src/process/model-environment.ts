/** Variables that a program needs to start, and the operator's locale. All others may contain secrets of the node. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_ENV', 'NODE_PATH', 'NODE_NO_WARNINGS']

/**
 * The environment of a model's process: a few allowed variables plus `more`, never the node's settings, keys or
 * addresses.
 */
export function modelEnvironment(
  source: NodeJS.ProcessEnv,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = source[name]
    if (value !== undefined) environment[name] = value
  }
  return { ...environment, ...more }
}
