import { type ShellCommand, type ShellWord, shellCommands } from './shell-commands.ts'

/** Prefixes that do not change what a command installs, and magics that run a shell command. */
const PREFIXES = new Set('sudo env nohup exec command time then do else if ! system sx sc'.split(' '))
const CONDA = /^(conda|mamba|micromamba)$/

/** Options of `pip install`, `uv pip install` and `uv add` that take the next word as their value. */
const VALUES = new Set(
  (
    '-r --requirement -c --constraint --build-constraint -e --editable -t --target --platform --python-version ' +
    '--implementation --abi --root --prefix --src --source --source-dir --source-directory --upgrade-strategy -C ' +
    '--config-settings --config-setting --global-option --install-option --build-option --no-binary --only-binary ' +
    '--progress-bar --root-user-action --report --group -i --index-url --pypi-url --extra-index-url -f --find-links ' +
    '--python --log --log-file --local-log --keyring-provider --proxy --retries --resume-retries --timeout ' +
    '--default-timeout --exists-action --trusted-host --cert --client-cert --cache-dir --use-feature --use-deprecated ' +
    '--requirements-from-script --uploaded-prior-to -b --build -d --download --requirements --constraints --override ' +
    '--overrides --exclude --excludes --build-constraints --extra --only-group --optional --index --default-index ' +
    '--index-strategy -P --upgrade-package --upgrade-group --reinstall-package --resolution --prerelease ' +
    '--fork-strategy --config-settings-package --no-build-isolation-package --exclude-newer --exclude-newer-package ' +
    '--link-mode --refresh-package --python-platform --torch-backend -p --no-binary-package --no-build-package ' +
    '--no-sources-package --color --directory --project --config-file --allow-insecure-host --marker -m --rev --tag ' +
    '--branch --bounds --package --script --no-extra'
  ).split(' '),
)
/** Options without a value. pip accepts abbreviations, so "--pre" must be distinguished from "--prefix". */
const FLAGS = new Set(
  (
    '-q --quiet -v --verbose -U --upgrade -I --ignore-installed -h --help -V --version --user --no-user --pre ' +
    '--force-reinstall --no-deps --no-dependencies --dry-run --isolated --require-virtualenv --require-venv ' +
    '--no-input --debug --no-cache-dir --no-cache --disable-pip-version-check --no-color --no-python-version-warning ' +
    '--ignore-requires-python --no-build-isolation --use-pep517 --no-use-pep517 --check-build-dependencies ' +
    '--break-system-packages --compile --no-compile --no-warn-script-location --no-warn-conflicts --prefer-binary ' +
    '--require-hashes --no-require-hashes --no-index --no-clean --egg --process-dependency-links --system --reinstall ' +
    '--refresh -n --offline --no-build --no-sources --strict --exact --verify-hashes --no-verify-hashes ' +
    '--no-break-system-packages --compile-bytecode --no-progress --no-config --no-python-downloads --managed-python ' +
    '--no-managed-python --native-tls --all-extras --dev --frozen --locked --active --no-sync --workspace ' +
    '--no-workspace --raw --no-editable'
  ).split(' '),
)
/** Flags that would change which packages or versions are installed. */
const REPORTED_FLAGS = new Set(['--pre', '--no-deps', '--no-dependencies', '--no-index', '--require-hashes'])

type Warn = (sentence: string) => void
/** Returns the requirements of a file; null if it does not exist. */
type ReadRequirements = (path: string) => readonly string[] | null

/**
 * Returns the packages that a notebook's command would install; empty for any other command. `warn` gets a sentence for
 * each part of the command that has no effect here; `read` reads the files of `-r`.
 */
export function installedPackages(command: string, warn: Warn, read: ReadRequirements = () => null): readonly string[] {
  const line = command.trim().replace(/^(?:[\w, .]+=\s*(?=[!%]))?[!%]{0,2}/, '')
  const commands = shellCommands(line)
  if (commands !== null) return commands.flatMap((one) => readCommand(one, warn, read))
  if (/\binstall\b/.test(line)) warn('the command is ignored: it contains an unclosed quote or bracket')
  return []
}

function readCommand({ words, redirections }: ShellCommand, warn: Warn, read: ReadRequirements): readonly string[] {
  const installer = findInstaller(words)
  if (installer === null) return []
  const { name } = installer
  if (CONDA.test(name)) {
    warn(`${name} has no effect here; packages come from the Python package index: use "pip install"`)
    return []
  }
  for (const text of redirections.filter((one) => /^[<>]=?\s*\d/.test(one))) {
    warn(`the shell reads "${text}" as a redirection, not as a version; put the requirement in quotes`)
  }
  const queue = [...installer.words]
  const packages: string[] = []
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const option = word.text.startsWith('-') && word.text !== '-' ? readOption(word.text) : undefined
    if (option === null) {
      warn(`${name} has no option "${word.text}"; the words after it are ignored`)
      break
    }
    const value = option?.takesNext === true ? queue.shift() : option?.value
    const unknown = [word, value].find((one) => typeof one === 'object' && one.isDynamic)
    if (typeof unknown === 'object') {
      warn(`"${unknown.text}" is known only when the notebook runs; write its value instead`)
    } else if (option === undefined) packages.push(word.text)
    else packages.push(...readOptionValue(name, option, typeof value === 'object' ? value.text : value, warn, read))
  }
  return packages.filter((text) => text !== '')
}

/** The packages that an option adds. */
function readOptionValue(
  installer: string,
  option: Option,
  value: string | undefined,
  warn: Warn,
  read: ReadRequirements,
): readonly string[] {
  if (value === undefined) {
    if (REPORTED_FLAGS.has(option.name)) warn(`${installer}'s option "${option.name}" has no effect here`)
    return []
  }
  const isFile = /^(-r|--requirements?)$/.test(option.name)
  const found = isFile ? read(value) : null
  if (found !== null) return found
  const why = isFile ? 'has no effect: there is no such file beside the notebook' : 'has no effect here'
  warn(`${installer}'s option "${option.name} ${value}" ${why}`)
  return []
}

interface Installer {
  readonly name: string
  /** The words after `install`. */
  readonly words: readonly ShellWord[]
}

/** The installer that a command runs; null for other programs. */
function findInstaller(given: readonly ShellWord[]): Installer | null {
  const words = [...given]
  const program = () => words[0]?.text.split('/').at(-1) ?? ''
  while (PREFIXES.has(program()) || /^[A-Za-z_]\w*=/.test(program())) {
    words.shift()
    while (words[0]?.text.startsWith('-')) words.shift()
  }
  if (isPython(words[0])) {
    const module = words.findIndex(({ text }) => text === '-m')
    if (module < 0 || words.slice(1, module).some(({ text }) => !/^-[A-Za-z]+$/.test(text))) return null
    words.splice(0, module + 1)
  }
  const name = program().replace(/^pip[\d.]+$/, 'pip')
  if (!CONDA.test(name) && !['pip', 'uv'].includes(name)) return null
  let rest = afterOptions(words.slice(1))
  if (name === 'uv' && rest[0]?.text === 'add') return { name, words: rest.slice(1) }
  if (name === 'uv' && rest[0]?.text !== 'pip') return null
  if (name === 'uv') rest = afterOptions(rest.slice(1))
  return rest[0]?.text === 'install' ? { name, words: rest.slice(1) } : null
}

function isPython(word: ShellWord | undefined): boolean {
  if (word === undefined) return false
  // "!{sys.executable} -m pip" and "!$sys.executable -m pip".
  if (word.isDynamic) return /^(\{sys\.executable\}|\$sys\.executable)$/.test(word.text)
  return /^(python[\d.]*|pypy[\d.]*|py)$/.test(word.text.split('/').at(-1) ?? '')
}

/** Drops leading options and their values. */
function afterOptions(words: readonly ShellWord[]): readonly ShellWord[] {
  let next = 0
  while (words[next]?.text.startsWith('-')) next += readOption(words[next]?.text ?? '')?.takesNext ? 2 : 1
  return words.slice(next)
}

interface Option {
  readonly name: string
  /** The value after "=" or after the letter. */
  readonly value?: string
  readonly takesNext: boolean
}

/** Parses an option as pip does: `--name=value`, abbreviations, combined letters. Null if it is unknown. */
function readOption(word: string): Option | null {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const full = VALUES.has(name) || FLAGS.has(name) ? name : completed(name)
    if (full === null) return null
    if (equals >= 0) return { name: full, value: word.slice(equals + 1), takesNext: false }
    return { name: full, takesNext: VALUES.has(full) }
  }
  for (let at = 1; at < word.length; at += 1) {
    const name = `-${word.charAt(at)}`
    if (VALUES.has(name)) {
      const value = word.slice(at + 1)
      return value === '' ? { name, takesNext: true } : { name, value: value.replace(/^=/, ''), takesNext: false }
    }
    if (!FLAGS.has(name)) return null
  }
  return { name: word, takesNext: false }
}

/** The option with this abbreviation, if it is the only one. */
function completed(name: string): string | null {
  const [only, ...more] = [...VALUES, ...FLAGS].filter((option) => option.startsWith(name))
  return only !== undefined && more.length === 0 && name.length > 2 ? only : null
}
