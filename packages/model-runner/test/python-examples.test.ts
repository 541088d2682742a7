import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeVariant, setupRequest } from '@crunch/model-protocol'
import { DEPLOYED_RUNNER, pythonOrReason } from '@crunch/python-peers'
import { beforeAll, expect, it } from 'vitest'
import { startPythonRunner } from './protocol-peer.ts'
import { writeFolder } from './temporary-folder.ts'

let environment: Awaited<ReturnType<typeof pythonOrReason>>
beforeAll(async () => {
  environment = await pythonOrReason(DEPLOYED_RUNNER)
}, 400_000)

const templates = fileURLToPath(new URL('../../../templates', import.meta.url))
const base = join(templates, 'challenge/python')
const weather = join(templates, 'packs/weather/challenge/python')

const packs = {
  realtime: { folders: [base], tick: { subject: 'a', closes: [100, 101, 103, 102] }, answer: ['value'] },
  weather: {
    folders: [base, weather],
    tick: { subject: 'a', days: [10, 12, 11].map((tempMax, day) => ({ date: `2012-02-0${day + 1}`, tempMax })) },
    answer: ['mean', 'std'],
  },
}

const examples = Object.entries(packs).flatMap(([pack, { folders }]) =>
  readdirSync(join(folders.at(-1)!, 'examples')).map((name) => [pack as keyof typeof packs, name] as const),
)

/** The package `tracker` of a workspace with this pack: the base files, overlaid with the pack's. */
function trackerOf(folders: readonly string[]): string {
  const names = new Set(folders.flatMap((folder) => readdirSync(join(folder, 'src/tracker'))))
  const sources = [...names]
    .filter((name) => /\.py$/.test(name))
    .map((name) => {
      const file = folders.map((folder) => join(folder, 'src/tracker', name)).findLast((path) => existsSync(path))!
      return [`tracker/${name}`, readFileSync(file, 'utf8')]
    })
  return writeFolder(Object.fromEntries(sources))
}

it.for(examples)('the deployed runner hosts the %s example %s', { timeout: 60_000 }, async ([pack, name], context) => {
  if ('reason' in environment) return context.skip(environment.reason)
  const { folders, tick, answer } = packs[pack]
  const files = { 'main.py': readFileSync(join(folders.at(-1)!, 'examples', name, 'main.py'), 'utf8') }
  const peer = await startPythonRunner(environment.python, files, trackerOf(folders))
  const created = { code: 'SUCCESS', message: 'Instance created successfully' }
  expect(await peer.send({ setup: setupRequest('tracker.TrackerBase') }), peer.log()).toEqual(created)
  const data = encodeVariant({ type: 'JSON', value: tick })
  const ticked = await peer.send({ call: { methodName: 'tick', methodArguments: [{ position: 1, data }] } })
  expect(ticked).toEqual({ code: 'SUCCESS', message: '' })
  const asked = [
    encodeVariant({ type: 'STRING', value: 'a' }),
    ...[60, 60].map((value) => encodeVariant({ type: 'INT', value })),
  ]
  const methodArguments = asked.map((value, index) => ({ position: index + 1, data: value }))
  const predicted = await peer.send({ call: { methodName: 'predict', methodArguments } })
  expect(predicted).toMatchObject({ code: 'SUCCESS', type: 'JSON' })
  expect(Object.keys('value' in predicted ? (predicted.value as object) : {})).toEqual(answer)
})
