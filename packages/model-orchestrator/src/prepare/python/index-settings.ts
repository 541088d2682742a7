import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorText } from '@crunch/local-processes/errors'
import { RunFailure } from '../../run-failure.ts'

/** Where packages come from, as configured by the operator for pip or uv. A submission cannot change it. */
export interface IndexSettings {
  /** Simple repository APIs; the first one is the main index. */
  readonly indexes: readonly URL[]
  /** Pages with links to packages. */
  readonly linkPages: readonly URL[]
  /** Local folders with packages. */
  readonly linkFolders: readonly string[]
  /** Constraints files that apply to every installation. */
  readonly constraints: readonly string[]
  /** How to connect to the indexes. */
  readonly connection: ConnectionSettings
  /** Names of pip's settings that have no effect here. */
  readonly ignored: readonly string[]
}

export interface ConnectionSettings {
  /** Certificates to trust, in PEM; undefined for those that Node.js trusts. */
  readonly ca: string | undefined
  readonly clientCertificate: string | undefined
  /** Hosts, with or without a port, whose certificates are not checked. */
  readonly trustedHosts: readonly string[]
  /** By the scheme of the target: `http:` and `https:`. */
  readonly proxies: Readonly<Record<string, URL | undefined>>
  readonly noProxy: readonly string[]
  readonly netrc: string
}

/** Settings that have no effect on which packages are found, or that an installation sets itself. */
const WITHOUT_EFFECT = new Set([
  ...['cache-dir', 'color', 'default-timeout', 'disable-pip-version-check', 'exists-action', 'keyring-provider', 'log'],
  ...[
    'no-cache-dir',
    'no-color',
    'no-input',
    'progress-bar',
    'quiet',
    'require-virtualenv',
    'retries',
    'root-user-action',
  ],
  ...['timeout', 'use-pep517', 'user', 'verbose', 'break-system-packages', 'no-warn-script-location', 'prefer-binary'],
])

/**
 * Reads the operator's settings: the output of `pip config list`, overridden by uv's variables. `defaultIndex` is called
 * only if no index is set. Throws `BUILD_FAILED` for a setting that cannot be used.
 */
export async function readIndexSettings(input: {
  readonly pipSettings: readonly string[]
  readonly source: NodeJS.ProcessEnv
  readonly defaultIndex: () => Promise<string>
}): Promise<IndexSettings> {
  const { source } = input
  const pip = parsePipSettings(input.pipSettings)
  const words = (name: string) => (pip.get(name) ?? '').split(/\s+/).filter((word) => word !== '')
  const uv = (...names: readonly string[]) => names.map((name) => source[name]?.trim()).find((text) => text)
  const uvWords = (...names: readonly string[]) => uv(...names)?.split(/\s+/)
  const hasNoIndex = /^(1|true|yes|on|y|t)$/i.test(pip.get('no-index') ?? '')
  const main = uv('UV_DEFAULT_INDEX', 'UV_INDEX_URL') ?? words('index-url')[0]
  const more = uvWords('UV_INDEX', 'UV_EXTRA_INDEX_URL') ?? words('extra-index-url')
  const indexes = hasNoIndex ? [] : [main ?? (await input.defaultIndex()), ...more]
  const links = source.UV_FIND_LINKS ? source.UV_FIND_LINKS.split(',') : words('find-links')
  const isPage = (link: string) => /^https?:/.test(link)
  const known = ['index-url', 'extra-index-url', 'find-links', 'no-index', 'constraint', 'cert', 'client-cert', 'proxy']
  const ignored = [...pip.keys()].filter(
    (name) => ![...known, 'trusted-host'].includes(name) && !WITHOUT_EFFECT.has(name),
  )
  return {
    indexes: indexes.map((text) => readUrl(text.replace(/^[\w-]+=(?=https?:)/, ''), 'index-url')),
    linkPages: links.filter(isPage).map((text) => readUrl(text, 'find-links')),
    linkFolders: links.filter((link) => !isPage(link)).map(localPath),
    constraints: words('constraint').map(localPath),
    connection: await readConnection(pip, source),
    ignored,
  }
}

async function readConnection(
  pip: ReadonlyMap<string, string>,
  source: NodeJS.ProcessEnv,
): Promise<ConnectionSettings> {
  const caFile = pip.get('cert') ?? source.REQUESTS_CA_BUNDLE ?? source.CURL_CA_BUNDLE ?? source.SSL_CERT_FILE
  const proxy = (scheme: string) => {
    const names = [`${scheme}_proxy`, 'all_proxy'].flatMap((name) => [name, name.toUpperCase()])
    const text = pip.get('proxy') ?? names.map((name) => source[name]).find((value) => value)
    return text ? readUrl(/^\w+:\/\//.test(text) ? text : `http://${text}`, 'proxy') : undefined
  }
  const netrc = source.NETRC ?? `${source.HOME ?? ''}/.netrc`
  return {
    ca: caFile ? await readSettingFile(caFile, 'cert') : undefined,
    clientCertificate: pip.has('client-cert')
      ? await readSettingFile(pip.get('client-cert') ?? '', 'client-cert')
      : undefined,
    trustedHosts: (pip.get('trusted-host') ?? '').split(/\s+/).filter((host) => host !== ''),
    proxies: { 'http:': proxy('http'), 'https:': proxy('https') },
    noProxy: (source.no_proxy ?? source.NO_PROXY ?? '').split(',').flatMap((one) => one.trim() || []),
    netrc: await readFile(netrc, 'utf8').catch(() => ''),
  }
}

const SETTING = /^([\w:.-]+)\.([\w-]+)=(['"])(.*)\3$/

/** Parses lines such as `global.index-url='https://…'`; a command's section overrides `global`, the environment overrides both. */
function parsePipSettings(lines: readonly string[]): ReadonlyMap<string, string> {
  const rank = ['global', 'download', 'install', ':env:']
  const found = lines.flatMap((line) => {
    const [, section, name, , value] = SETTING.exec(line.trim()) ?? []
    if (section === undefined || name === undefined || value === undefined || !rank.includes(section)) return []
    // Python's repr of a text with more than one line.
    return [{ rank: rank.indexOf(section), name, value: value.replaceAll('\\n', '\n') }]
  })
  return new Map(found.sort((a, b) => a.rank - b.rank).map(({ name, value }) => [name, value]))
}

function readUrl(text: string, setting: string): URL {
  try {
    const url = new URL(text)
    if (url.protocol === 'http:' || url.protocol === 'https:') return url
  } catch {
    // Reported below without the text, which may contain a password.
  }
  throw new RunFailure(
    'BUILD_FAILED',
    `pip's setting ${setting} is not an http or https URL; correct the configuration of pip`,
  )
}

function localPath(text: string): string {
  const path = text.startsWith('file:') ? fileURLToPath(text) : text
  if (isAbsolute(path)) return path
  throw new RunFailure('BUILD_FAILED', `pip's configuration names "${text}"; give an absolute path`)
}

async function readSettingFile(path: string, setting: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new RunFailure('BUILD_FAILED', `file of pip's setting ${setting} cannot be read: ${errorText(error)}`, {
      cause: error,
    })
  })
}
