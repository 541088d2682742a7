import { requirementName } from '../python/python-requirements.ts'

/** What an import asks for, and how its comment narrows it. */
export interface ImportedPackage {
  /** The module that is imported, without what is behind its first dot. */
  readonly module: string
  /** The package as its comment names it. */
  readonly name: string | null
  readonly extras: readonly string[]
  readonly specs: readonly string[]
}

const COMMENT = /^([A-Za-z_][A-Za-z0-9_-]*[A-Za-z0-9])?\s*([@[><=~].*)$/
const EXTRAS = /^\[([^\]]*)\]\s*/
const SPEC = /^(===|==|~=|!=|>=|<=|>|<)\s*([A-Za-z0-9.*+!_-]+)$/

/** Modules whose package has another name. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  Crypto: 'pycryptodome',
  PIL: 'pillow',
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  crunch: 'crunch-cli',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  dotenv: 'python-dotenv',
  fitz: 'pymupdf',
  imblearn: 'imbalanced-learn',
  jwt: 'pyjwt',
  pkg_resources: 'setuptools',
  pytorch_lightning: 'pytorch-lightning',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  skopt: 'scikit-optimize',
  talib: 'TA-Lib',
  umap: 'umap-learn',
  websocket: 'websocket-client',
  yaml: 'pyyaml',
}

/** The package that brings a module: an index knows packages only. */
export function packageOfModule(name: string): string {
  return PACKAGE_OF[name] ?? name
}

/**
 * The package of an imported module with the comment behind the import: `# ==1.2`, `# scikit-learn[x] >=1`, `# @latest`, or
 * `# @ignore`, which gives null. Throws an error that says what is wrong with the comment; any other comment means nothing.
 */
export function importedPackage(module: string, comment: string | null): ImportedPackage | null {
  const wish = readComment(comment ?? '')
  return wish === 'ignore' ? null : { module, ...wish }
}

function readComment(comment: string): Omit<ImportedPackage, 'module'> | 'ignore' {
  const text = comment.replace(/^[\s#]+|[\s#]+$/g, '')
  const match = COMMENT.exec(text)
  if (match === null) return { name: null, extras: [], specs: [] }
  const name = match[1] ?? null
  const wanted = (match[2] ?? '').replace(/#.*/, '').trim()
  if (wanted === '@ignore') return 'ignore'
  if (wanted === '@latest') return { name, extras: [], specs: [] }
  const extras = EXTRAS.exec(wanted)
  const specs = wanted.slice(extras?.[0].length ?? 0)
  return {
    name,
    extras: splitList(extras?.[1] ?? '').map((extra) => extra.toLowerCase()),
    specs: splitList(specs).map((spec) => {
      const [, operator, version] = SPEC.exec(spec) ?? []
      if (operator !== undefined && version !== undefined) return `${operator}${version}`
      throw new Error(`"${text}" is not a version; write "# ==1.2.3", "# @latest" or "# @ignore" after the import`)
    }),
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** One requirement for two imports of the same module; throws when they disagree. */
export function mergeImports(first: ImportedPackage, second: ImportedPackage): ImportedPackage {
  const differs = (one: readonly string[], other: readonly string[]) =>
    one.length > 0 && other.length > 0 && one.join() !== other.join()
  const named = first.name !== null && second.name !== null && first.name !== second.name
  if (named || differs(first.extras, second.extras) || differs(first.specs, second.specs)) {
    const [one, other] = [first, second].map(importRequirement)
    throw new Error(`"${first.module}" is imported as "${one}" and as "${other}"; write the same after both imports`)
  }
  const hasWish = second.extras.length + second.specs.length > 0
  return { ...(hasWish ? second : first), name: second.name ?? first.name }
}

/** `scikit-learn[x]>=1`; the module's own name where no package is named. */
export function importRequirement({ module, name, extras, specs }: ImportedPackage): string {
  return `${name ?? module}${extras.length > 0 ? `[${extras.join(',')}]` : ''}${specs.join(',')}`
}

const INSTALL = /^(?:[!%]\s*)?(?:uv\s+)?(?:python3?\s+-m\s+)?pip3?\s+install\s+(.*)$/
const VALUE_OPTIONS = new Set(['-r', '-c', '-i', '-f', '-t', '-e', '--index-url', '--extra-index-url', '--target'])

/** The packages that a notebook's command installs; empty for any other command. `ignored` gets options that matter. */
export function installedPackages(command: string, ignored: (option: string) => void): readonly string[] {
  const words = (INSTALL.exec(command)?.[1] ?? '').match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  const packages: string[] = []
  for (let index = 0; index < words.length; index += 1) {
    const word = (words[index] ?? '').replace(/^(["'])(.*)\1$/, '$2')
    if (/^(&&|\|\|?|;|>|2>|#)/.test(word)) break
    if (!word.startsWith('-')) {
      packages.push(word)
      continue
    }
    const takesValue = VALUE_OPTIONS.has(word)
    if (takesValue) index += 1
    if (takesValue || word.includes('=')) ignored(takesValue ? `${word} ${words[index] ?? ''}` : word)
  }
  return packages
}

/** Requirements of commands and imports, one for each package; a comment behind an import comes first. */
export function joinRequirements(imported: readonly string[], installed: readonly string[]): readonly string[] {
  const all = new Map<string, string>()
  for (const requirement of [...installed, ...imported]) {
    const key = requirementName(requirement)
    const isBare = requirement.length === /^[A-Za-z0-9._-]*/.exec(requirement)?.[0].length
    if (!all.has(key) || !isBare) all.set(key, requirement)
  }
  return [...all.values()].sort((a, b) => (requirementName(a) < requirementName(b) ? -1 : 1))
}
