import { expect, it } from 'vitest'
import {
  answeredRound,
  candle,
  minute,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from '../../../../ports/store-samples.ts'
import { useTestStores } from '../test-stores.testkit.ts'

const stores = useTestStores({ maxConnections: 2 })

/** Waits for what arrives by itself; the test's own time limit ends it. */
function createMailbox<Item>() {
  const items: Item[] = []
  let wake = (): void => undefined
  return {
    put(item: Item): void {
      items.push(item)
      wake()
    },
    async until(wanted: Item): Promise<readonly Item[]> {
      while (!items.includes(wanted)) await new Promise<void>((resolve) => (wake = resolve))
      return items.splice(0)
    },
  }
}

it('announces the changes of other processes, also after its connection was lost', async () => {
  const [reader, writer] = [await stores.open(), await stores.open()]
  const heard = createMailbox<string>()
  const end = await reader.subscribeChanges({ changed: heard.put, missed: () => heard.put('missed') })
  const odd = round(1, { id: 'round \u0000 "odd"' })
  await prepare(writer, ['a'])
  expect(await heard.until('models')).toEqual(['models'])
  await answeredRound(writer, round(0), ['a'])
  await writer.openRound(odd)
  expect([...new Set(await heard.until(`round:${odd.id}`))]).toEqual([`round:${round(0).id}`, `round:${odd.id}`])
  await writer.appendRecords([candle(-1), candle(0), candle(4)])
  expect(await heard.until('feeds')).toEqual(['feeds'])
  await writer.settleRounds(settleRequest({ now: minute(90) }), resolveAll)
  expect(await heard.until(`round:${round(0).id}`)).toEqual([`round:${round(0).id}`])

  const [lost] = await stores.operator()`
    select count(pg_terminate_backend(pid))::int as count from pg_stat_activity
    where datname = current_database() and query = 'listen crunch_changes'`
  expect(lost).toEqual({ count: 1 })
  expect(await heard.until('missed')).toEqual(['missed'])
  await writer.registerModels(
    [{ id: 'b', name: 'b', deploymentId: 'b', cruncherId: 'b', cruncherName: 'b' }],
    minute(0),
  )
  expect(await heard.until('models')).toEqual(['models'])
  await end()
  // The reader itself was not harmed.
  expect(await reader.models()).toHaveLength(2)
})
