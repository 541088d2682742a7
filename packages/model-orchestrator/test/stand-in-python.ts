import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./stand-in-python.mjs', import.meta.url))

/** A call of the stand-in: the tool, its arguments and its environment. */
interface Call {
  readonly call: 'venv' | 'pip'
  readonly args?: readonly string[]
  readonly packages?: readonly string[]
  readonly hadLeftovers?: boolean
  readonly env: Readonly<Record<string, string>>
}

/** How the stand-in behaves. */
interface Behaviour {
  readonly version?: readonly number[]
  readonly hasPip?: boolean
  /** The output of `pip config list`. */
  readonly pipSettings?: readonly string[]
  /** The installation waits until this file exists. */
  readonly waitsFor?: string
  readonly prints?: readonly string[]
  readonly exitCode?: number
}

/** Creates a folder with a stand-in `python3` that imitates venv and pip without a network. */
export async function createStandInPython() {
  const home = await mkdtemp(join(tmpdir(), 'stand-in-python-'))
  const program = join(home, 'python3')
  // Node treats a file without an extension as CommonJS unless a package.json declares modules.
  await writeFile(join(home, 'package.json'), '{"type":"module"}')
  await writeFile(program, (await readFile(SOURCE, 'utf8')).replace('@HOME@', home), { mode: 0o755 })
  const behave = (behaviour: Behaviour) => writeFile(join(home, 'BEHAVIOUR'), JSON.stringify(behaviour))
  await behave({})
  const read = (name: string) => readFile(join(home, name), 'utf8').catch(() => '')
  return {
    home,
    program,
    behave,
    async calls(): Promise<readonly Call[]> {
      const lines = (await read('CALLS')).split('\n').filter(Boolean)
      return lines.map((line) => JSON.parse(line))
    },
    /** The pid of the current or last installation; null before the first. */
    installerPid: async () => Number(await read('INSTALLING')) || null,
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  }
}
