import { modelEnvironment } from '../../process/model-environment.ts'

/**
 * Variables that locate Python and its configuration, without secrets of the node: the installers' own settings,
 * proxies and certificates.
 */
const INSTALLER_NAMES = [
  /^PIP_/,
  /^UV_/,
  /^(HTTP|HTTPS|ALL|NO)_PROXY$/i,
  /^SSL_CERT_(FILE|DIR)$/,
  /^(REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC)$/,
  /^XDG_(CACHE|CONFIG)_HOME$/,
  /^PYENV_(ROOT|VERSION)$/,
]

/**
 * The environment of programs that read the operator's configuration. No code of a submission runs in it, because the settings
 * may contain an index password.
 */
export function operatorEnvironment(source: NodeJS.ProcessEnv): Record<string, string> {
  const environment = modelEnvironment(source)
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && INSTALLER_NAMES.some((pattern) => pattern.test(name))) environment[name] = value
  }
  return environment
}

/**
 * The environment in which packages are installed, without the operator's configuration: the arguments name the index.
 * `workFolder` is for temporary files.
 */
export function installEnvironment(source: NodeJS.ProcessEnv, workFolder: string): Record<string, string> {
  return modelEnvironment(source, {
    HOME: workFolder,
    TMPDIR: workFolder,
    XDG_CACHE_HOME: workFolder,
    PIP_CONFIG_FILE: '/dev/null',
    // The runner requires a source package named `importlib`, like the standard library's. pip before 23.1, as in Debian 12,
    // builds a source package inside its own folder, where that name would hide the standard library's module.
    PIP_USE_PEP517: '1',
    UV_NO_CONFIG: '1',
    UV_CACHE_DIR: `${workFolder}/uv`,
    UV_PYTHON_DOWNLOADS: 'never',
  })
}
