import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pythonIsMissing, TEST_ENVIRONMENTS } from '@crunch/python-peers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Node, openNode } from '../src/deployment.ts'
import {
  changeContract,
  keepModels,
  recordedWeather,
  shortWeatherPeriods,
  writeWeather,
} from '../src/edit-workspace.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// Participants submit folders and notebooks, mostly in Python, which the deployed Python runner hosts.

const examples = ['persistence', 'climatology', 'seven-day-mean', 'trend', 'overconfident'] as const
/** The first Python submission on a machine installs the runner. */
const installLimitMs = 400_000

const missing = pythonIsMissing()

describe.skipIf(missing !== null)(`submissions${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let workspace: UserWorkspace
  let node: Node
  beforeAll(async () => {
    workspace = await takeTestWorkspace('weather')
    node = await openNode(workspace)
    // The environment of the Python runner is installed once per machine.
    await mkdir(TEST_ENVIRONMENTS, { recursive: true })
    await mkdir(join(node.directory, 'node/.crunch'))
    await symlink(TEST_ENVIRONMENTS, join(node.directory, 'node/.crunch/environments'))
  })
  afterAll(() => workspace?.remove())

  test('in Python get exactly the same predictions, scores and ranks as those in TypeScript', {
    timeout: 900_000,
  }, async () => {
    const folder = join(node.directory, 'challenge/python/examples')
    // It also creates the environment that all five share, so that no model joins the replay late.
    const tested = await node.crunch(['models', 'test', join(folder, 'persistence')], {}, installLimitMs)
    expect(tested.exitCode, `${tested.stdout}\n${tested.stderr}`).toBe(0)
    expect(tested.stdout).toContain('PENDING')
    for (const example of examples) {
      const added = await node.crunch(['models', 'add', join(folder, example), '--name', `python-${example}`])
      expect(added.exitCode, added.stderr).toBe(0)
    }
    await changeContract(node.directory, shortWeatherPeriods)
    const recording = await writeWeather(node.directory, 'short.csv', await recordedWeather(node.directory, 60))
    const deployed = await node.crunch(['deploy', '--replay', recording, '--once'], {}, installLimitMs)
    expect(deployed.exitCode, `${deployed.stdout}\n${deployed.stderr}`).toBe(0)
    const values = valuesOf(deployed.stdout)
    expect([...values.keys()].sort()).toEqual([...examples, ...examples.map((name) => `python-${name}`)].sort())
    for (const example of examples) expect(values.get(`python-${example}`)).toBe(values.get(example))
    expect(new Set(values.values()).size).toBe(examples.length)
    expect(deployed.stdout).toContain('(exact)')
  })

  test('that are added during the competition get a first score', { timeout: 900_000 }, async () => {
    await keepModels(node.directory, ['climatology'])
    // One day per second: the recording lasts longer than this test.
    await node.deployReplay({ speed: 86_400 })
    const database = await node.database()
    try {
      const sources = [await pythonFolder(), await typescriptFolder(), await notebook()]
      for (const source of sources) {
        const { exitCode, stdout, stderr } = await node.crunch(['models', 'add', source], {}, installLimitMs)
        expect(exitCode, `${stdout}\n${stderr}`).toBe(0)
        const id = /Model (\S+) /.exec(stdout)?.[1] ?? stdout
        await until(`the first score of ${source}`, 120_000, async () => {
          const [row] = await database`
            select count(*) > 0 as "isScored" from scores s join predictions p using (input_id, model_id)
            where p.model_id = ${id} and p.output is not null and s.value is not null`
          return row?.isScored === true
        })
      }
      const listed = await node.crunch(['models'])
      expect(listed.exitCode, listed.stderr).toBe(0)
      for (const name of ['in-python', 'in-typescript', 'as-notebook']) {
        expect(listed.stdout).toMatch(new RegExp(`${name}.*RUNNING`, 'i'))
      }
    } finally {
      await database.end()
      await node.crunch(['down'])
    }
  })

  async function pythonFolder(): Promise<string> {
    const folder = join(node.directory, 'in-python')
    await mkdir(folder)
    await writeFile(join(folder, 'main.py'), pythonModel.join('\n'))
    await writeFile(join(folder, 'requirements.txt'), '# nothing but the standard library\n')
    return folder
  }

  async function typescriptFolder(): Promise<string> {
    const shipped = join(
      node.directory,
      'node/deployment/model-orchestrator-local/data/submissions/persistence/main.ts',
    )
    const challenge = /from '([^']+)'/.exec(await readFile(shipped, 'utf8'))?.[1]
    const folder = join(node.directory, 'in-typescript')
    await mkdir(folder)
    const source = [
      `import { type Prediction, TrackerBase } from '${challenge}'`,
      'export class Mild extends TrackerBase {',
      '  override predict(): Prediction {',
      '    return { mean: 15, std: 8 }',
      '  }',
      '}',
    ]
    await writeFile(join(folder, 'main.ts'), source.join('\n'))
    return folder
  }

  async function notebook(): Promise<string> {
    const cell = (type: string, lines: readonly string[]) => ({
      cell_type: type,
      metadata: {},
      source: lines.join('\n'),
    })
    const cells = [
      cell('markdown', ['# A model']),
      cell('code', ['%matplotlib inline', 'import math']),
      cell('code', pythonModel),
      cell('code', ['model = Mild()', "print(model.predict('Seattle', 86400, 86400))"]),
    ]
    const file = join(node.directory, 'as-notebook.ipynb')
    await writeFile(file, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }))
    return file
  }
})

const pythonModel = [
  'from tracker import TrackerBase',
  '',
  '',
  'class Mild(TrackerBase):',
  '    def predict(self, subject, horizon, step):',
  '        return {"mean": 15.0, "std": 8.0}',
  '',
]

/** Model and value of the rows in the last checkpoint. */
function valuesOf(output: string): Map<string, string> {
  const table = output.slice(output.lastIndexOf('Checkpoint CKP_'))
  const rows = table.matchAll(/│ (?:\d+|-)\s+│ (\S+)\s+│ (\S+)\s+│ \d+\s+│ \d+ of \d+\s+│/g)
  return new Map([...rows].map(([, model, value]) => [model ?? '', value ?? '']))
}
