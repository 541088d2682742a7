import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { API_FUZZER, pythonOrReason } from '@crunch/python-peers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allRoutes } from '../src/report/routes/all-routes.ts'
import { type ReportServer, startReportServer } from '../src/report/start-report-server.ts'
import { replayReport } from './report-replay.ts'

// Schemathesis makes requests from /openapi.json, valid and invalid ones, and compares each answer with the schema. Both runs together
// cost about 35 s of processor time.

const key = 'k'.repeat(32)
const config = fileURLToPath(new URL('report-fuzz.toml', import.meta.url))

let peer: Awaited<ReturnType<typeof pythonOrReason>>
let folder: string
beforeAll(async () => {
  peer = await pythonOrReason(...API_FUZZER)
  folder = await mkdtemp(join(tmpdir(), 'report-fuzz-'))
}, 400_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Served extends ReportServer {
  /** The statuses that each operation gave, such as `get /info`. */
  readonly statuses: ReadonlyMap<string, ReadonlySet<number>>
}

async function serve(): Promise<Served> {
  const { app } = await replayReport({ legacyKey: key })
  const routes = allRoutes.map(({ definition: { method, path } }) => ({ method, path, pattern: patternOf(path) }))
  const statuses = new Map(routes.map(({ method, path }) => [`${method} ${path}`, new Set<number>()]))
  const server = await startReportServer({
    app: {
      async fetch(request: Request, ...rest: unknown[]) {
        const answer = await (app.fetch as (request: Request, ...rest: unknown[]) => Promise<Response>)(
          request,
          ...rest,
        )
        const asked = new URL(request.url).pathname
        // Fixed paths come before those with parameters, as in the router.
        const { path } =
          routes.find((route) => route.path === asked) ?? routes.find((one) => one.pattern.test(asked)) ?? {}
        statuses.get(`${request.method.toLowerCase()} ${path}`)?.add(answer.status)
        return answer
      },
    },
    port: 0,
  })
  return { ...server, statuses }
}

const isSuccess = (status: number) => status >= 200 && status < 300

const patternOf = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)

/** Runs the fuzzer; its output if it found something. */
async function fuzz({ url }: ReportServer, python: string, ...more: readonly string[]): Promise<string | null> {
  const args = [
    ...['--config-file', config, '--no-color', 'run', `${url}/openapi.json`, '--url', url],
    ...['--seed', '14', '--generation-database', 'none', '--no-shrink', '--continue-on-failure'],
    ...['--output-sanitize', 'false', ...more],
  ]
  const { error, stdout, stderr } = await new Promise<{ error: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(
      join(dirname(python), 'schemathesis'),
      args,
      { cwd: folder, maxBuffer: 1 << 26 },
      (...[error, stdout, stderr]) => resolve({ error, stdout, stderr }),
    )
  })
  return error === null ? null : `${stdout}\n${stderr}`
}

test('every answer to a request with a key is as /openapi.json says', async ({ skip }) => {
  if ('reason' in peer) return skip(peer.reason)
  const server = await serve()
  const found = await fuzz(
    server,
    peer.python,
    '--phases',
    'examples,coverage,fuzzing',
    '-n',
    '3',
    '--header',
    `X-API-Key: ${key}`,
  )
  await server.close()
  expect(found).toBeNull()
  const silent = [...server.statuses]
    .filter(([, statuses]) => ![...statuses].some(isSuccess))
    .map(([operation]) => operation)
  expect(silent).toEqual([])
})

test('every answer to a request without a key is as /openapi.json says, and the organizer’s routes refuse it', async ({
  skip,
}) => {
  if ('reason' in peer) return skip(peer.reason)
  const server = await serve()
  const found = await fuzz(server, peer.python, '--phases', 'fuzzing', '-n', '2')
  await server.close()
  expect(found).toBeNull()
  for (const { definition } of allRoutes) {
    const statuses = server.statuses.get(`${definition.method} ${definition.path}`) ?? new Set()
    const isOpen = definition.tier === 'public' || definition.tier === 'read'
    expect([definition.path, statuses.size > 0, isOpen || ![...statuses].some(isSuccess)]).toEqual([
      definition.path,
      true,
      true,
    ])
  }
})
