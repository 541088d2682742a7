import { expect, it } from 'vitest'
import { createMemoryStore } from '../../../adapters/store/memory/memory-store.ts'
import { leaderboard, minute, model, periodRounds, prepare } from '../../../ports/store-samples.ts'
import { fromHere, reportUnderTest } from '../../report-app.testkit.ts'

/** Two processes that serve the same store, and how often each reads a whole board. */
async function twoProcesses() {
  const store = createMemoryStore()
  await prepare(store)
  const entries = leaderboard(10).entries
  const close = (end: number) =>
    store.closePeriod({ snapshots: [], rounds: periodRounds(end), leaderboard: leaderboard(end, { entries }) })
  await close(10)
  function serve() {
    let readCount = 0
    const own = store.reopen()
    const latestLeaderboard: typeof own.latestLeaderboard = (until) => {
      readCount += 1
      return own.latestLeaderboard(until)
    }
    const { app } = reportUnderTest({ reads: { ...own, latestLeaderboard } })
    const ask = async (query = '', headers: Record<string, string> = {}) => {
      const init = { headers: { ...fromHere.init.headers, ...headers } }
      const response = await app.request(`/reports/leaderboard${query}`, init, fromHere.env)
      return { text: await response.text(), etag: response.headers.get('etag'), status: response.status }
    }
    return { ask, readCount: () => readCount }
  }
  return { store, close, processes: [serve(), serve()] as const }
}

it('is rendered once for all who ask, in each process, until it changes', async () => {
  const { store, close, processes } = await twoProcesses()
  const askAll = async (count: number) => {
    for (const { ask, readCount } of processes) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
      answers.push(await ask())
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(readCount()).toBe(count)
    }
    return processes[1].ask()
  }
  const first = await askAll(1)
  await close(20)
  const second = await askAll(2)
  expect(second.text).toContain('2026-03-01T10:20:00.000Z')
  expect(second.etag).not.toBe(first.etag)
  await store.registerModels([model('a', { name: 'renamed' })], minute(1))
  const third = await askAll(3)
  expect(third.text).toContain('renamed')
  // The next request after a change never gets what was rendered before it.
  for (const end of [30, 40, 50]) {
    await close(end)
    expect((await processes[0].ask()).text).toContain(`2026-03-01T10:${end}:00.000Z`)
  }
})

it('is rendered once for each of its forms and not again as an earlier one', async () => {
  const { close, processes } = await twoProcesses()
  const [{ ask, readCount }] = processes
  const forms = ['', '?include_ensembles=true', '?format=csv', '?format=ndjson', '?until=2026-03-01T10:05:00Z']
  const texts = []
  for (const form of [...forms, ...forms]) texts.push((await ask(form)).text)
  expect(readCount()).toBe(forms.length)
  expect(texts.slice(0, forms.length)).toEqual(texts.slice(forms.length))
  await close(20)
  // Every instant from one board to the next has the same one, which is still there.
  for (const until of ['10:10', '10:15', '10:19']) await ask(`?until=2026-03-01T${until}:00Z`)
  expect(readCount()).toBe(forms.length)
})

it('is read again after a failure', async () => {
  const store = createMemoryStore()
  let isBroken = true
  const { app } = reportUnderTest({
    reads: {
      ...store,
      latestLeaderboard: async () => (isBroken ? Promise.reject(new Error('broken')) : store.latestLeaderboard()),
    },
  })
  const status = async () => (await app.request('/reports/leaderboard', fromHere.init, fromHere.env)).status
  expect(await status()).toBe(500)
  isBroken = false
  expect(await status()).toBe(200)
})
