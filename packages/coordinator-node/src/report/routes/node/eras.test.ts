import { expect, it } from 'vitest'
import type { EraEntry } from '../../../ports/store-eras.ts'
import { minute } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

it('/reports/eras shows the time span and the code versions of each era', async () => {
  const { store, get } = reportUnderTest()
  const competition = { crunchId: 'next-move', name: 'next-move' }
  const entry: EraEntry = { competition, structure: {}, fingerprint: 'first', codeHash: 'one', at: minute(0) }
  await store.enterEra(entry)
  await store.enterEra({ ...entry, codeHash: 'two', at: minute(10) })
  const changed = { structure: { name: 'changed' }, fingerprint: 'second' }
  await store.beginEra({ after: 1, ...changed, at: minute(20) })
  await store.enterEra({ ...entry, ...changed, codeHash: 'two', at: minute(21) })
  expect((await get('/reports/eras')).body).toEqual([
    {
      era: 1,
      fingerprint: 'first',
      began_at: '2026-03-01T10:00:00.000Z',
      ended_at: '2026-03-01T10:20:00.000Z',
      contract_versions: [
        { version: 1, hash: 'one', first_seen_at: '2026-03-01T10:00:00.000Z' },
        { version: 2, hash: 'two', first_seen_at: '2026-03-01T10:10:00.000Z' },
      ],
    },
    {
      era: 2,
      fingerprint: 'second',
      began_at: '2026-03-01T10:20:00.000Z',
      ended_at: null,
      contract_versions: [{ version: 3, hash: 'two', first_seen_at: '2026-03-01T10:21:00.000Z' }],
    },
  ])
})
