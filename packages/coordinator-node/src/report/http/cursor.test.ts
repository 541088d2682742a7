import { expect, it } from 'vitest'
import { z } from 'zod'
import { cursorField } from './cursor.ts'

const field = cursorField(z.tuple([z.int(), z.string()]))
const written = (key: unknown) => Buffer.from(JSON.stringify({ path: '/list', key })).toString('base64url')

it('reads its own key, and refuses every other text', () => {
  expect(field.parse(written([5, 'a"\u0000é']))).toEqual([5, 'a"\u0000é'])
  expect(field.parse(undefined)).toBeUndefined()
  const wrong = [
    '',
    'x',
    '%',
    written([5]),
    written([5.5, 'a']),
    written(['5', 'a']),
    written({}),
    `${written([5, 'a'])}x`,
  ]
  for (const text of [...wrong, 'a'.repeat(8_001)]) {
    expect([text, field.safeParse(text).error?.issues[0]?.message]).toEqual([
      text,
      expect.stringMatching(/^is not a cursor/),
    ])
  }
})
