import { setTimeout } from 'node:timers/promises'
import postgres from 'postgres'
import { afterEach, expect, it } from 'vitest'
import { createMigratedDatabase } from '../../../../test/migrated-database.ts'
import type { Store } from '../../../ports/store.ts'
import { answeredRound, minute, prepare, resolveAll, round, settleRequest } from '../../../ports/store-samples.ts'
import { openPostgresStore } from './postgres-store.ts'

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** An arbitrary lock key; settling the first round waits for its holder. */
const turnstile = 4_711

it('lets two workers settle concurrently: neither waits for rounds claimed by the other', async () => {
  const database = await createMigratedDatabase()
  endings.push(() => database.drop())
  const open = async (): Promise<Store> => {
    const store = await openPostgresStore({ url: database.url, maxConnections: 2 })
    endings.push(() => store.close())
    return store
  }
  const [first, second] = [await open(), await open()]
  await prepare(first)
  for (const count of [0, 1, 2, 3]) await answeredRound(first, round(count))
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  endings.push(() => sql.end({ timeout: 1 }))
  await sql.unsafe(`
    create function wait_for_turn() returns trigger language plpgsql as $$ begin
      if new.id = '${round(0).id}' then perform pg_advisory_xact_lock(${turnstile}); end if;
      return new; end $$;
    create trigger wait_for_turn before update on inputs for each row execute function wait_for_turn();
    select pg_advisory_lock(${turnstile})`)
  const settle = (store: Store, limit: number) =>
    store.settleRounds(settleRequest({ now: minute(90), limit }), (due) => resolveAll(due))

  // The first worker has claimed two rounds, has decided, and is blocked while writing.
  const heldUp = settle(first, 2)
  await expect
    .poll(async () => (await sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).length, {
      timeout: 10_000,
    })
    .toBe(1)
  const other = await Promise.race([settle(second, 10), setTimeout(10_000, 'it waited for the first one')])
  expect(other).toMatchObject({ resolvedCount: 2, waitingCount: 0, next: null })

  await sql`select pg_advisory_unlock(${turnstile})`
  expect(await heldUp).toMatchObject({ resolvedCount: 2 })
  expect(await first.roundCounts()).toMatchObject({ unresolvedCount: 0 })
})
