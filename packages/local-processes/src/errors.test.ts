import { expect, it } from 'vitest'
import { DirectoryBusyError } from './directory-lock.ts'
import { ExpectedError, errorText, isExpectedError } from './errors.ts'

class Missing extends ExpectedError {
  readonly code = 'MISSING'
}

it('distinguishes expected errors from bugs, even across two copies of this package', () => {
  expect(isExpectedError(new Missing('x'))).toBe(true)
  expect(isExpectedError(new DirectoryBusyError('/data', 'process 1', 5))).toBe(true)
  class Copy extends Error {
    get [Symbol.for('crunch.expected-error')]() {
      return true
    }
  }
  expect(isExpectedError(new Copy('x'))).toBe(true)
  for (const thrown of [new TypeError('x'), Object.assign(new Error('x'), { code: 'ENOENT' }), 'x', null, undefined]) {
    expect(isExpectedError(thrown)).toBe(false)
  }
})

it('returns the text of any thrown value', () => {
  expect([new Error('a'), 'b', null, 3].map(errorText)).toEqual(['a', 'b', 'null', '3'])
})
