import { expect, it } from 'vitest'
import { DirectoryBusyError } from './directory-lock.ts'
import { ExpectedError, errorText, isExpectedError } from './errors.ts'

class Missing extends ExpectedError {
  readonly code = 'MISSING'
}

it('tells failures of the world from bugs, also those of another copy of this package', () => {
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

it('gives the text of anything that was thrown', () => {
  expect([new Error('a'), 'b', null, 3].map(errorText)).toEqual(['a', 'b', 'null', '3'])
})
