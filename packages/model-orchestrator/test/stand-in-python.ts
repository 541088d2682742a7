import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./stand-in-python.mjs', import.meta.url))

/** A call of the stand-in: which tool, with what, in which environment. */
interface Call {
  readonly call: 'venv' | 'pip'
  readonly args?: readonly string[]
  readonly packages?: readonly string[]
  readonly hadLeftovers?: boolean
  readonly env: Readonly<Record<string, string>>
}

/** What the stand-in does when it is called. */
interface Behaviour {
  readonly version?: readonly number[]
  /** What `pip config list` prints. */
  readonly pipSettings?: readonly string[]
  /** The installation goes on until this file is there. */
  readonly waitsFor?: string
  readonly prints?: readonly string[]
  readonly exitCode?: number
}

/** A folder with a `python3` that knows venv and pip as far as an orchestrator can see, and needs no network. */
export async function createStandInPython() {
  const home = await mkdtemp(join(tmpdir(), 'stand-in-python-'))
  const program = join(home, 'python3')
  // Node takes a file without an ending for CommonJS unless its folder says otherwise.
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
    /** The process that installs or did so last; null before the first. */
    installerPid: async () => Number(await read('INSTALLING')) || null,
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  }
}
