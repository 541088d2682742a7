import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runOnTerminal } from '../run-cli.fixture.ts'
import type { Terminal } from '../terminal/terminal.ts'

const deployment = 'node/deployment/model-orchestrator-local'
const modelsFile = `${deployment}/config/models.dev.yml`
const submissions = `${deployment}/data/submissions`
const logs = 'node/.crunch/logs/models'

const listed = `# Ours.
models:
  - id: "1"
    submission_id: momentum
    desired_state: RUNNING # as always
  - id: "2"
    submission_id: flat
    desired_state: STOPPED
    model_name: still
`

let root: string
const servers: Server[] = []

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-models-')))
  await write('node/contract.ts')
  await write(modelsFile, listed)
  await write(`${submissions}/momentum/main.ts`, 'export {}')
  await write(`${submissions}/flat/main.js`, 'export {}')
})

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await rm(root, { recursive: true, force: true })
})

async function write(path: string, text = ''): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true })
  await writeFile(join(root, path), text)
}

const read = (path: string) => readFile(join(root, path), 'utf8')

async function crunch(argv: readonly string[], env: Record<string, string> = {}, watch: Partial<Terminal> = {}) {
  // Ports without a server, unless a test sets others.
  const ports = { REPORT_API_PORT: '1', MODEL_ORCHESTRATOR_HTTP_PORT: '2' }
  return runOnTerminal(argv, { cwd: root, env: { PATH: process.env.PATH, ...ports, ...env }, ...watch })
}

/** Starts a server that answers each path with JSON, or only with a status, and other paths with 404; returns its port. */
async function serve(
  answers: Readonly<Record<string, unknown>>,
  onRequest: (headers: Readonly<Record<string, unknown>>) => number = () => 200,
): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? '']
    const status = onRequest(request.headers)
    response.statusCode = answer === undefined && status === 200 ? 404 : status
    response.end(JSON.stringify(answer ?? { detail: 'no' }))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen')
  return String(address.port)
}

describe('crunch models', () => {
  it('reports that nothing runs, and shows the entries of the models file', async () => {
    const { exitCode, out } = await crunch(['models'])
    expect(exitCode).toBe(0)
    expect(out).toContain('http://127.0.0.1:2/models: the model orchestrator does not answer')
    expect(out).toContain('http://127.0.0.1:1/reports/models/activity: the report API does not answer')
    expect(out).toMatch(/│ 1 +│ momentum +│ \w+ +│ desired: RUNNING/)
    expect(out).toMatch(/│ 2 +│ still +│ \w+ +│ desired: STOPPED/)
  })

  it('combines the data of the file, the orchestrator and the node', async () => {
    const running = { id: '1', status: 'RUNNER_RUNNING', desired_state: 'RUNNING', language: 'python', restarts: 3 }
    const counts = { PENDING: 0, SCORED: 9, FAILED: 0, ABSENT: 1 }
    const answered = { model_id: '1', model_name: 'm', counts, reasons: {}, latency_ms: null, last_problem: null }
    const env = {
      MODEL_ORCHESTRATOR_HTTP_PORT: await serve({ '/models': [running] }),
      REPORT_API_PORT: await serve({ '/reports/models/activity': [answered, { ...answered, model_id: '9' }] }),
    }
    const { out } = await crunch(['models', '--json'], env)
    const state = JSON.parse(out)
    expect(state).toMatchObject({
      orchestrator: { problem: null },
      node: { problem: null },
      unlistedIds: ['9'],
      models: [
        { id: '1', name: 'momentum', state: 'RUNNING', language: 'python', restarts: 3, activity: { counts } },
        { id: '2', name: 'still', state: null, desiredState: 'STOPPED', activity: null },
      ],
    })
  })

  it('sends the key to the orchestrator, and names a missing or wrong setting', async () => {
    const port = await serve({ '/models': [] }, (headers) => (headers['x-api-key'] === 'right' ? 200 : 401))
    const problem = async (env: Record<string, string>) =>
      JSON.parse((await crunch(['models', '--json'], { MODEL_ORCHESTRATOR_HTTP_PORT: port, ...env })).out).orchestrator
        .problem
    expect(await problem({ API_KEY: 'right' })).toBeNull()
    expect(await problem({})).toContain('set API_KEY')
    // The key of an orchestrator started in this workspace is found without a setting.
    await write(`${logs}/.orchestrator-key`, 'too short')
    expect((await crunch(['models', '--json'])).err).toMatch(/orchestrator-key: .*too short/)
    await write(`${logs}/.orchestrator-key`, 'k'.repeat(43))
    const local = await serve({ '/models': [] }, (headers) => (headers['x-api-key'] === 'k'.repeat(43) ? 200 : 401))
    expect(await problem({ MODEL_ORCHESTRATOR_HTTP_PORT: local })).toBeNull()
    expect(await problem({ API_KEY: 'wrong' })).toMatch(/correct API_KEY(?!.*wrong)/)
  })

  it.each<{ readonly why: string; readonly elsewhere: Record<string, string> }>([
    { why: 'it is on another machine', elsewhere: { MODEL_RUNNER_NODE_HOST: 'far.example' } },
    { why: 'the settings say so', elsewhere: { MODEL_ORCHESTRATOR: 'external' } },
  ])('does not match models of another orchestrator with this workspace by id: $why', async ({ elsewhere }) => {
    const row = { status: 'RUNNER_RUNNING', desired_state: 'RUNNING', restarts: 0 }
    const rows = [
      { ...row, id: '1', crunch_id: 'starter-challenge' },
      { ...row, id: '2', crunch_id: 'another-competition' },
    ]
    await write(`${logs}/.orchestrator-key`, 'k'.repeat(43))
    const seenKeys: unknown[] = []
    const port = await serve({ '/models': rows }, (headers) => {
      seenKeys.push(headers['x-api-key'])
      return 200
    })
    const env = { ...elsewhere, MODEL_ORCHESTRATOR_HTTP_PORT: port }
    const state = JSON.parse((await crunch(['models', '--json'], env)).out)
    expect(state.modelsFile).toBeNull()
    expect(state.models).toMatchObject([{ id: '1', name: '1', language: null, state: 'RUNNING' }])
    expect(state.models).toHaveLength(1)
    // The key of this workspace must not be sent to another orchestrator.
    expect(seenKeys).toEqual([undefined])
    await write(`${logs}/1/1_20260301_100000_000.0.jsonl`, '')
    expect((await crunch(['models', 'logs', '1'], env)).err).toContain('another orchestrator runs the models')
    const silent = await crunch(['models'], elsewhere)
    expect(silent.out).toContain('The model orchestrator does not answer.')
    expect(silent.out).not.toMatch(/momentum|still|models add/)
  })

  it('shows models without rows, with start and reason', async () => {
    const removed = { model_id: '7', retired_at: '2026-03-01T10:00:00Z', retirement_reason: 'it was removed' }
    const refused = { ...removed, model_id: '1', retirement_reason: 'the id belongs to cruncher "ann"\u001b[2J' }
    const env = {
      REPORT_API_PORT: await serve({ '/reports/models/activity': [], '/reports/models': [removed, refused] }),
    }
    const { out } = await crunch(['models'], env)
    expect(out).toContain('retired: 7 has no rows since 2026-03-01T10:00:00Z: it was removed')
    expect(out).toContain('retired: 1 has no rows since 2026-03-01T10:00:00Z: the id belongs to cruncher "ann"')
    expect(out).not.toContain('\u001b')
  })

  it('detects that another program listens instead of the orchestrator', async () => {
    const port = await serve({ '/models': { some: 'page' } })
    const { out } = await crunch(['models'], { MODEL_ORCHESTRATOR_HTTP_PORT: port })
    expect(out).toContain('another program listens there')
    expect(out).toContain('MODEL_ORCHESTRATOR_HTTP_PORT')
  })

  it('reports a broken models file with its line', async () => {
    await write(modelsFile, 'models:\n  - id: "1"\n')
    expect((await crunch(['models'])).out).toMatch(/The models file cannot be read\.\n.*models\.dev\.yml:2/)
  })
})

describe('crunch models add', () => {
  it('copies a folder and adds it to the models file, keeping comments', async () => {
    await write('mine/main.js', 'export {}')
    const { exitCode, out } = await crunch(['models', 'add', 'mine', '--name', 'My model', '--cruncher', 'ann'])
    expect(exitCode).toBe(0)
    expect(out).toContain('Model 3 (My model) of ann was added: submission mine')
    expect(out).toContain('crunch deploy')
    expect(await read(`${submissions}/mine/main.js`)).toBe('export {}')
    expect(await read(modelsFile)).toMatch(/# Ours\.[\s\S]*# as always[\s\S]*submission_id: mine/)
  })

  it("adds a baseline under the organizer's cruncher, so that the node accepts its name", async () => {
    await write('base/main.js', 'export {}')
    const { exitCode, out } = await crunch(['models', 'add', 'base', '--organizer'])
    expect(exitCode).toBe(0)
    expect(out).toContain('Model 3 (base) of organizer was added')
    expect(await read(modelsFile)).toMatch(/model_name: base\n\s+cruncher_name: organizer\n\s+cruncher_id: organizer/)
  })

  it('refuses the name of a baseline, in any spelling, to a participant, and changes nothing', async () => {
    const template = new URL('../../../../templates/node/contract.ts', import.meta.url).href
    await write('node/contract.ts', `export { default } from '${template}'`)
    await write('mine/main.js', 'export {}')
    for (const name of ['flat', 'Ｆlat']) {
      const { exitCode, err } = await crunch(['models', 'add', 'mine', '--name', name])
      expect(exitCode).toBe(1)
      expect(err).toMatch(/is the name of a baseline, which only the organizer/)
      expect(err).toContain('--organizer')
    }
    expect(await read(modelsFile)).toBe(listed)
    expect((await crunch(['models', 'add', 'mine', '--name', 'flat', '--organizer'])).exitCode).toBe(0)
  })

  it('replaces the code of the model with that name', async () => {
    await write('still/main.js', 'export {}')
    const { out } = await crunch(['models', 'add', 'still', '--replace'])
    expect(out).toContain('Model 2 (still)')
    expect(await read(modelsFile)).toMatch(/submission_id: still\n.*RUNNING/)
  })

  it('asks what to do when a folder is added twice; without a terminal it names the flags', async () => {
    await write('模型/main.js', 'export {}')
    const add = (...flags: readonly string[]) => crunch(['models', 'add', './模型/', ...flags])
    expect((await add()).out).toContain('Model 3 (模型) of local-dev was added: submission submission')
    const before = await read(modelsFile)
    const { exitCode, err } = await add()
    expect([exitCode, err]).toEqual([1, expect.stringContaining('local-dev already has model 3 with the name "模型"')])
    expect(err).toContain('use --replace to replace its code, --another to add a second model with that name')
    expect(await read(modelsFile)).toBe(before)
    expect((await add('--replace', '--another')).exitCode).not.toBe(0)
    expect((await add('--cruncher', 'eve')).out).toContain('Model 4 (模型) of eve was added')
    expect((await add('--replace', '--cruncher', 'eve')).err).toContain('the models 3, 4 all have the name')
    expect((await add('--another')).out).toContain('Model 5 (模型) of local-dev was added')
    expect((await add('--name', 'other')).out).toContain('Model 6 (other)')
  })

  it.each([
    ['r', 0, 'Model 2 (still) of x has new code'],
    ['another', 0, 'Model 3 (still) of x was added'],
    ['c', 1, ''],
    ['', 1, ''],
  ])('follows the answer given on a terminal: %j', async (answer, code, text) => {
    await write('still/main.js', 'export {}')
    const questions: string[] = []
    const ask = async (question: string) => {
      questions.push(question)
      return questions.length === 1 ? 'what?' : answer
    }
    const { exitCode, out } = await crunch(['models', 'add', 'still', '--cruncher', 'x'], {}, { ask })
    expect([exitCode, out]).toEqual([code, expect.stringContaining(text)])
    expect(questions).toHaveLength(2)
    expect(questions[0]).toBe(
      'x already has model 2 with the name "still". Replace its code, add another model, or cancel? [r/a/c] ',
    )
  })

  it.each([
    ['nowhere', 'there is no such folder or notebook; give the folder that contains main.py'],
    ['notes', 'no main'],
    ['notes/a.txt', 'a folder, or one notebook'],
  ])('refuses %s with the reason, and changes nothing', async (source, message) => {
    await write('notes/a.txt')
    const { exitCode, err } = await crunch(['models', 'add', source])
    expect([exitCode, err]).toEqual([1, expect.stringContaining(message)])
    expect(err).not.toMatch(/^\s+at /m)
    expect(await read(modelsFile)).toBe(listed)
  })

  it('changes nothing when another machine runs the models', async () => {
    const { exitCode, err } = await crunch(['models', 'stop', '1'], { MODEL_RUNNER_NODE_HOST: 'far.example' })
    expect([exitCode, err]).toEqual([1, expect.stringContaining('another orchestrator runs the models')])
    expect(await read(modelsFile)).toBe(listed)
  })
})

describe('crunch models start, stop and remove', () => {
  it('change the entry of a model, identified by id or name', async () => {
    expect((await crunch(['models', 'stop', '1'])).out).toContain('Model 1 (momentum) is set to stop.')
    expect((await crunch(['models', 'start', 'still'])).out).toContain('Model 2 (still) is set to run.')
    expect(await read(modelsFile)).toMatch(/momentum\n.*STOPPED # as always\n[\s\S]*flat\n.*RUNNING/)
  })

  it('require confirmation to remove', async () => {
    const { exitCode, err } = await crunch(['models', 'remove', '2'])
    expect([exitCode, err]).toEqual([1, expect.stringContaining('crunch models remove 2 --yes')])
    expect(await read(modelsFile)).toBe(listed)
    expect((await crunch(['models', 'remove', '2', '--yes'])).exitCode).toBe(0)
    expect(await read(modelsFile)).not.toContain('flat')
    expect(await read(`${submissions}/flat/main.js`)).toBe('export {}')
  })

  it.each([
    ['stop', 'momentun', 'did you mean momentum? There are: 1 (momentum), 2 (still)'],
    ['start', 'entirely-else', 'name one of: 1 (momentum), 2 (still)'],
    ['logs', '12', 'did you mean 1?'],
  ])('%s suggests similar models for the unknown model %s', async (command, asked, message) => {
    const { exitCode, err } = await crunch(['models', command, asked])
    expect([exitCode, err]).toEqual([1, expect.stringContaining(message)])
  })

  it('refuse an ambiguous name', async () => {
    await write(modelsFile, listed.replace('model_name: still', 'model_name: momentum'))
    const { err } = await crunch(['models', 'stop', 'momentum'])
    expect(err).toContain('2 models have this name')
    expect(err).toContain('by its id: 1, 2')
  })
})

describe('crunch models logs', () => {
  const line = (message: string, more: object = {}) =>
    `${JSON.stringify({ timestamp: '2026-03-01T10:00:00.123Z', message, error: false, emitter: 'user-code', ...more })}\n`

  it('shows preparation, runner and output of a model without terminal control characters', async () => {
    const text = [
      line('installing', { emitter: 'builder' }),
      line('hello \u001b[31m'),
      line('Traceback', { error: true }),
      line('run ended: exited with code 1', { emitter: 'service', error: true }),
    ]
    await write(`${logs}/1/1_20260301_100000_000.ndjson`, text.join(''))
    expect((await crunch(['models', 'logs', 'momentum'])).out.split('\n')).toEqual([
      'run 1_20260301_100000_000',
      '10:00:00.123 builder out installing',
      '10:00:00.123 model   out hello \\u001b[31m',
      '10:00:00.123 model   err Traceback',
      '10:00:00.123 runner  err run ended: exited with code 1',
    ])
    const json = (await crunch(['models', 'logs', '1', '-n', '1', '--json'])).out
    expect(JSON.parse(json)).toMatchObject({ deploymentId: '1_20260301_100000_000', emitter: 'service', error: true })
  })

  it('shows the logs of a model that is no longer listed', async () => {
    await write(`${logs}/7/7_20260301_100000_000.ndjson`, line('bye'))
    expect((await crunch(['models', 'logs', '7'])).out).toContain('bye')
  })

  it('follows over several runs until it is aborted', async () => {
    await write(`${logs}/1/1_20260301_100000_000.ndjson`, line('one'))
    const ending = new AbortController()
    const second = `${logs}/1/1_20260301_110000_000.ndjson`
    let written: Promise<void> | undefined
    const onOut = (text: string): void => {
      if (text.includes('one')) written = write(second, line('two'))
      if (text.includes('two')) ending.abort()
    }
    const { out } = await crunch(['models', 'logs', '1', '-f'], {}, { signal: ending.signal, out: onOut })
    await written
    expect(out).toMatch(/one\nrun 1_20260301_110000_000\n.*two/)
  })

  it('reports that a model was never started', async () => {
    const { exitCode, err } = await crunch(['models', 'logs', '2'])
    expect([exitCode, err]).toEqual([1, expect.stringContaining('it was never started here')])
  })
})
