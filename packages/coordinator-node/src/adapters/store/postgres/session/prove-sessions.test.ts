import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { answeredRound, minute, prepare, resolveAll, round, settleRequest } from '../../../../ports/store-samples.ts'
import { openPostgresStore } from '../postgres-store.ts'
import { checkDatabase } from '../schema/check-database.ts'
import { pgbouncer, startPgBouncer } from './pgbouncer.testkit.ts'

let database: TestDatabase
const endings: (() => unknown)[] = []

beforeAll(async () => {
  database = await createTestDatabase()
})

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

afterAll(() => database.drop())

async function behind(...settings: readonly string[]): Promise<string> {
  const pooler = await startPgBouncer(database.url, settings)
  endings.push(() => pooler.close())
  return pooler.url
}

function client(url: string): postgres.Sql {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false, prepare: false })
  endings.push(() => sql.end({ timeout: 1 }))
  return sql
}

/** All settings of our sessions, so that the pooler accepts them. */
const ignored =
  'ignore_startup_parameters = extra_float_digits, statement_timeout, lock_timeout, idle_in_transaction_session_timeout'

const noSessions = {
  code: 'STORE_UNSUITABLE',
  message: expect.stringMatching(/does not keep sessions.*connect to PostgreSQL directly, or set pool_mode = session/),
}

/** Expects a refusal by the check and by opening the store, and an unchanged database. */
async function expectRefused(url: string, refusal: object): Promise<void> {
  await expect(checkDatabase(url)).rejects.toMatchObject(refusal)
  await expect(openPostgresStore({ url })).rejects.toMatchObject(refusal)
  const made = await client(database.url)`select relname from pg_class where relname in ('inputs', 'leases')`
  expect(made).toEqual([])
}

// On CI a missing program is a failure: `.ci/run` installs it.
const isAbsent = pgbouncer === undefined && process.env.CI !== 'true'
const because = isAbsent ? ' (skipped: pgbouncer is not installed)' : ''

describe.skipIf(isAbsent)(`a pooler in front of the database${because}`, () => {
  it.each([
    ['transaction mode', ['pool_mode = transaction']],
    ['transaction mode that lets our settings through', ['pool_mode = transaction', ignored]],
    ['statement mode', ['pool_mode = statement', ignored]],
    ['one session for all', ['pool_mode = transaction', 'default_pool_size = 1', ignored]],
  ])('is refused in %s', async (_, settings) => {
    await expectRefused(await behind(...settings), noSessions)
  })

  it.each([2, 3, 5])('is refused when it uses %s sessions in turn', async (size) => {
    const url = await behind('pool_mode = transaction', 'server_round_robin = 1', ignored)
    // The pooler now has as many sessions as clients have needed concurrently.
    const others = Array.from({ length: size }, () => client(url))
    for (const other of others) await other.unsafe('begin')
    for (const other of others) await other.unsafe('commit')
    for (let start = 0; start < size; start += 1) {
      await expectRefused(url, noSessions)
      // The next check begins with another session.
      await others[0]?.unsafe('select 1')
    }
  })

  it('is refused in session mode if it drops or refuses the time limits of a session', async () => {
    const fix = /ignore_startup_parameters = .*statement_timeout.*or connect to PostgreSQL directly/
    const refuses = { code: 'STORE_UNSUITABLE', message: expect.stringMatching(fix) }
    await expectRefused(await behind('pool_mode = session'), refuses)
    const drops = { code: 'STORE_UNSUITABLE', message: expect.stringMatching(/drops .*statement_timeout.*alter role/) }
    await expectRefused(await behind('pool_mode = session', ignored), drops)
  })

  it('is accepted in session mode with the time limits set for the database: a lease has one holder', async () => {
    const other = await createTestDatabase()
    endings.push(() => other.drop())
    const name = new URL(other.url).pathname.slice(1)
    for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
      await client(other.url).unsafe(`alter database ${name} set ${limit} = '60s'`)
    }
    const pooler = await startPgBouncer(other.url, ['pool_mode = session', ignored])
    endings.push(() => pooler.close())
    await checkDatabase(pooler.url)
    const [first, second] = [await openPostgresStore({ url: pooler.url }), await openPostgresStore({ url: pooler.url })]
    endings.push(() => Promise.all([first.close(), second.close()]))
    expect(await first.takeLease('predict')).not.toBeNull()
    expect(await second.takeLease('predict')).toBeNull()
  })
})

describe('a session of the engine', () => {
  it('enables detection of lost clients on every connection', async () => {
    const own = await createTestDatabase()
    endings.push(() => own.drop())
    const store = await openPostgresStore({ url: own.url })
    endings.push(() => store.close())
    await client(own.url).unsafe(settingsRecorder)
    // A connection of the pool, one of a lease, and one of a transaction.
    await prepare(store)
    await store.takeLease('predict')
    await answeredRound(store, round(0))
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => resolveAll(due))
    const sessions = await client(own.url)`select count(distinct pid)::int as count from seen_settings`
    expect(sessions[0]?.count).toBeGreaterThanOrEqual(3)
    const seen = await client(own.url)`select distinct name, setting from seen_settings order by 1`
    expect(seen.map(({ name, setting }) => `${name} ${setting}`)).toEqual([
      'client_connection_check_interval 5000',
      'tcp_keepalives_count 3',
      'tcp_keepalives_idle 5',
      'tcp_keepalives_interval 5',
      'tcp_user_timeout 20000',
    ])
  })
})

/** Records the settings of the server's socket in each session that writes one of these tables. */
const settingsRecorder = `
  create table seen_settings (pid int, name text, setting text);
  create function note_settings() returns trigger language plpgsql as $$ begin
    insert into seen_settings select pg_backend_pid(), name, setting from pg_settings
      where name like 'tcp\\_%' or name = 'client_connection_check_interval';
    return new; end $$;
  create trigger note_settings before insert on inputs for each row execute function note_settings();
  create trigger note_settings_of_update before update on inputs for each row execute function note_settings();
  create trigger note_settings_of_lease before insert on leases for each row execute function note_settings()`
