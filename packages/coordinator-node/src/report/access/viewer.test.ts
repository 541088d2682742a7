import { expect, it } from 'vitest'
import { anyone, maySeeAnswer, maySeeDiagnostics, type Viewer } from './viewer.ts'

const viewers: Readonly<Record<string, Viewer>> = {
  public: anyone,
  read: { role: 'read' },
  owner: { role: 'participant', cruncherId: 'alice' },
  other: { role: 'participant', cruncherId: 'bob' },
  admin: { role: 'admin', by: 'key' },
  loopback: { role: 'admin', by: 'loopback' },
}

const allowed = (may: (viewer: Viewer) => boolean) =>
  Object.keys(viewers).filter((name) => may(viewers[name] as Viewer))

it('shows an answer to its owner and to keys of the organizer until the truth is known, then to all', () => {
  const see = (status: 'PENDING' | 'SCORED', reveal: 'with truth' | 'at once' = 'with truth') =>
    allowed((viewer) => maySeeAnswer(viewer, { status, cruncherId: 'alice' }, reveal))
  expect(see('PENDING')).toEqual(['owner', 'admin'])
  expect(see('SCORED')).toEqual(Object.keys(viewers))
  expect(see('PENDING', 'at once')).toEqual(Object.keys(viewers))
})

it('never shows diagnostics of a model to the public or to another participant', () => {
  expect(allowed((viewer) => maySeeDiagnostics(viewer, { cruncherId: 'alice' }))).toEqual([
    'owner',
    'admin',
    'loopback',
  ])
})

it('gives what belongs to nobody, such as an ensemble, to no participant', () => {
  expect(allowed((viewer) => maySeeAnswer(viewer, { status: 'PENDING', cruncherId: null }, 'with truth'))).toEqual([
    'admin',
  ])
})
