import { expect, test } from 'vitest'
import { useWorkspace } from './workspace.ts'

async function use(keep: boolean, work: () => Promise<number>) {
  const log: string[] = []
  let isRemoved = false
  const remove = async () => {
    isRemoved = true
  }
  const workspace = { directory: '/tmp/demo', remove }
  const used = useWorkspace(workspace, { keep, log: (text) => log.push(text) }, work)
  const result = await used.catch((error: Error) => error.message)
  return { log, isRemoved, result }
}

const succeeds = async () => 0
const fails = async () => Promise.reject(new Error('no port'))

test('the demo removes its workspace at the end, also when it fails, and says so before', async () => {
  const log = ['- it runs in /tmp/demo, which is removed at the end; --keep keeps it']
  expect(await use(false, succeeds)).toEqual({ log, isRemoved: true, result: 0 })
  expect(await use(false, fails)).toEqual({ log, isRemoved: true, result: 'no port' })
})

test('with --keep the workspace stays, and the last line says how to continue', async () => {
  const log = ['- it runs in /tmp/demo', 'Kept: /tmp/demo. Continue there with: npx crunch deploy --replay']
  expect(await use(true, succeeds)).toEqual({ log, isRemoved: false, result: 0 })
  expect(await use(true, fails)).toEqual({ log, isRemoved: false, result: 'no port' })
})
