import { requirementName } from '../python/python-requirements.ts'

/** The package of an import, with the version from its comment. */
export interface ImportedPackage {
  /** The top-level module: `a` of `import a.b`. */
  readonly module: string
  /** The package named in the comment. */
  readonly name: string | null
  readonly extras: readonly string[]
  readonly specs: readonly string[]
}

const COMMENT = /^([A-Za-z_][A-Za-z0-9_-]*[A-Za-z0-9])?\s*([@[><=~].*)$/
const EXTRAS = /^\[([^\]]*)\]\s*/
const SPEC = /^(===|==|~=|!=|>=|<=|>|<)\s*([A-Za-z0-9.*+!_-]+)$/

/** Modules whose package has a different name. */
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

/** The package that contains a module. */
export function packageOfModule(name: string): string {
  return PACKAGE_OF[name] ?? name
}

/**
 * The package of an imported module. The comment after the import may choose a version (`# ==1.2`, `# scikit-learn[x] >=1`,
 * `# @latest`) or no package (`# @ignore`, which returns null); other comments are ignored. Throws if the version is invalid.
 */
export function importedPackage(module: string, comment: string | null): ImportedPackage | null {
  const wish = readComment(comment ?? '')
  return wish === 'ignore' ? null : { module, ...wish }
}

function readComment(comment: string): Omit<ImportedPackage, 'module'> | 'ignore' {
  const text = withoutMarks(comment)
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

/** Trims blanks and `#` at both ends. A regular expression would take quadratic time. */
function withoutMarks(comment: string): string {
  let end = comment.length
  while (end > 0 && /[\s#]/.test(comment.charAt(end - 1))) end -= 1
  return comment.slice(0, end).replace(/^[\s#]+/, '')
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Merges two imports of one module; throws if they name different packages, extras or versions. */
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

/** As a requirement: `scikit-learn[x]>=1`. The module's name is the package name if none is given. */
export function importRequirement({ module, name, extras, specs }: ImportedPackage): string {
  return `${name ?? module}${extras.length > 0 ? `[${extras.join(',')}]` : ''}${specs.join(',')}`
}

/** One requirement per package. One with a version wins over one without, and an import's over a command's. */
export function joinRequirements(imported: readonly string[], installed: readonly string[]): readonly string[] {
  const all = new Map<string, string>()
  for (const requirement of [...installed, ...imported]) {
    const key = requirementName(requirement)
    const isBare = requirement.length === /^[A-Za-z0-9._-]*/.exec(requirement)?.[0].length
    if (!all.has(key) || !isBare) all.set(key, requirement)
  }
  return [...all.values()].sort((a, b) => (requirementName(a) < requirementName(b) ? -1 : 1))
}
