import { describe, expect, test } from 'vitest'
import { nameKey, refusalOfName, roleOf } from './model-role.ts'

const organizer = { cruncherId: 'host', baselines: ['flat', 'Mean Reversion'] }

describe('the role of a model', () => {
  test.each([
    ['flat', 'host', 'baseline'],
    ['FLAT ', 'host', 'baseline'],
    ['mean reversion', 'host', 'baseline'],
    ['momentum', 'host', 'organizer'],
    ['momentum', 'ann', 'participant'],
    ['flat', 'ann', 'participant'],
    ['flat', 'Host', 'participant'],
  ])('of "%s" of %s is %s', (name, cruncherId, role) => {
    expect(roleOf({ name, cruncherId }, organizer)).toBe(role)
  })
})

describe('the name of a baseline', () => {
  test.each([
    'flat',
    'Flat',
    'FLAT',
    ' flat\t',
    'ｆｌａｔ',
    'ﬂat',
    'f\u200blat',
    'fla\u00adt',
    '\u{1d41f}lat',
    'flat\ufe0f',
  ])('is refused to a participant who spells it %j', (name) => {
    expect(refusalOfName({ name, cruncherId: 'ann' }, organizer)).toMatch(/only the organizer \(cruncher "host"\)/)
    expect(refusalOfName({ name, cruncherId: 'host' }, organizer)).toBeNull()
  })

  test.each(['flatter', 'f lat', 'momentum', ''])('is not confused with "%s"', (name) => {
    expect(refusalOfName({ name, cruncherId: 'ann' }, organizer)).toBeNull()
  })

  test('has an idempotent key', () => {
    for (const name of ['ｆｌａｔ', ' ﬂAT ', 'İstanbul']) expect(nameKey(nameKey(name))).toBe(nameKey(name))
  })
})
