import { modelEnvironment } from './model-environment.ts'

/** What reaches a package index and no secret of the node: the installers' own settings, proxies and certificates. */
const INSTALLER_NAMES = [
  /^PIP_/,
  /^UV_/,
  /^(HTTP|HTTPS|ALL|NO)_PROXY$/i,
  /^SSL_CERT_(FILE|DIR)$/,
  /^(REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC)$/,
  /^XDG_(CACHE|CONFIG)_HOME$/,
  /^PYENV_(ROOT|VERSION)$/,
]

/** Settings by which an operator tells pip where packages come from; uv does not know them. */
const PIP_SOURCES = ['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_FIND_LINKS', 'PIP_NO_INDEX', 'PIP_CONFIG_FILE']

/**
 * The runner requires a package that is called `importlib` as the standard library's, and comes as source alone. Before pip 23.1,
 * which Debian 12 has, a source package is built inside its own folder, where that name hides the library's.
 */
const BUILDS_APART = { PIP_USE_PEP517: '1' }

/** The environment in which packages are installed; models never get it. */
export function installEnvironment(source: NodeJS.ProcessEnv): Record<string, string> {
  const environment = modelEnvironment(source, BUILDS_APART)
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && INSTALLER_NAMES.some((pattern) => pattern.test(name))) environment[name] = value
  }
  return environment
}

/** The setting that only pip honours, when there is one and uv is told nothing of its own. */
export function pipOnlySetting(source: NodeJS.ProcessEnv): string | null {
  if (Object.keys(source).some((name) => /^UV_(DEFAULT_INDEX|INDEX|INDEX_URL|FIND_LINKS|OFFLINE)$/.test(name)))
    return null
  return PIP_SOURCES.find((name) => (source[name] ?? '') !== '') ?? null
}
