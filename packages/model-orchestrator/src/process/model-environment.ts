/** What a program needs to start and to speak the operator's language; everything else may be a secret of the node. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_ENV', 'NODE_PATH', 'NODE_NO_WARNINGS']

/**
 * The environment of a model's process: a short list of names, never the node's own settings, keys or addresses, and
 * what is named in `more`.
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
