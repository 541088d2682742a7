import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorText } from '@crunch/local-processes/errors'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  AuthorError,
  type AuthorFunction,
  callAuthor,
  ifAuthorFails,
  parseReturned,
  showPlacesFrom,
} from './author-code.ts'

const lines = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n')

/** The place of the line that ends with a comment of this name. */
const place = (name: string) =>
  `contract/author-code.test.ts:${lines.findIndex((line) => line.endsWith(`// ${name}`)) + 1}`
const schema = { path: 'score.schema', of: z.object({ value: z.number() }) }

/** The message, with lines counted from that of `author`. */
function failure(author: Omit<AuthorFunction<{ output: unknown }>, 'path'>, use = schema): string {
  const named = { path: 'score.compute', ...author }
  try {
    parseReturned(named, use, callAuthor(named, { output: { value: 1 } }), (parsed) => parsed)
  } catch (error) {
    return String(error)
  }
  return 'nothing failed'
}

describe('an AuthorError names the function, the cause, and the file and line', () => {
  test('of the throw, not of the call', () => {
    const inner = () => {
      throw new RangeError('no weights') // thrown
    }
    const run = () => inner()
    expect(failure({ owner: {}, run })).toBe(`AuthorError: score.compute failed at ${place('thrown')}: no weights`)
  })

  test("of the author's call to a library that throws", () => {
    const run = () => z.string().parse(5) // library
    expect(failure({ owner: {}, run })).toMatch(`score.compute failed at ${place('library')}: the value: Invalid input`)
  })

  test('at which the function reads its context, when the schema refuses its return value', () => {
    const run = ({ output }: { output: unknown }) => ({ value: Number.NaN, output }) // reads
    expect(failure({ owner: {}, run })).toMatch(
      `score.compute at ${place('reads')} returned what score.schema refuses: value: Invalid input`,
    )
  })

  test('at which the function catches the exception that locates its reads', () => {
    const run = (context: { output: unknown }) => {
      try {
        return { value: Number.NaN, output: context.output }
      } catch {
        throw new Error('no output') // notices
      }
    }
    expect(failure({ owner: {}, run })).toMatch(
      `score.compute at ${place('notices')} returned what score.schema refuses`,
    )
  })

  test('of the return value, with the first three of five reasons of the schema', () => {
    const many = { path: 'score.schema', of: z.array(z.number()) as unknown as typeof schema.of }
    expect(failure({ owner: {}, run: () => ['a', 'b', 'c', 'd', 'e'] }, many)).toMatch(/0: .*; 1: .*; 2: .*; 2 more$/)
  })

  test('of a schema that throws', () => {
    const of = z.object({ value: z.number() }).transform((): { value: number } => {
      throw new Error('in the schema') // schema
    })
    const throwing = { path: 'score.schema', of: of as unknown as typeof schema.of }
    expect(failure({ owner: {}, run: () => ({ value: 1 }) }, throwing)).toBe(
      `AuthorError: score.schema failed at ${place('schema')}: in the schema`,
    )
  })

  test.each([
    ['a text', 'no stack'],
    ['nothing', undefined],
    ['an object without a stack', Object.assign(new Error('bare'), { stack: undefined })],
  ])('without a place, when %s is thrown', (_, thrown) => {
    const run = () => {
      throw thrown
    }
    const text = errorText(thrown)
    expect(failure({ owner: {}, run })).toBe(`AuthorError: score.compute failed: ${text}`)
  })
})

describe('the place of an AuthorError', () => {
  const folders = fileURLToPath(import.meta.url).split('/')
  const packageFolder = folders.slice(0, -3).join('/')
  afterEach(() => showPlacesFrom('/no/workspace'))

  /** The message for an error thrown at a frame of a stack. */
  function placeOf(frame: string): string {
    const error = new Error('no weights')
    error.stack = `Error: no weights\n    at inner (${frame})\n    at runAuthorCode (/engine/author-code.js:1:1)`
    const run = () => {
      throw error
    }
    return failure({ owner: {}, run })
  }

  test('is relative to the workspace, so that files of several packages differ', () => {
    showPlacesFrom(`${packageFolder}/`)
    const run = () => {
      throw new RangeError('no weights') // in the workspace
    }
    expect(failure({ owner: {}, run })).toContain(`failed at src/${place('in the workspace')}: no weights`)
  })

  test.each([
    ['/home/me/my challenge/challenge/src/scoring.ts:12:5', 'challenge/src/scoring.ts:12'],
    ['file:///home/me/my%20challenge/challenge/src/scoring.ts?v=1:12:5', 'challenge/src/scoring.ts:12'],
    ['/home/me/my challenge/node/contract.ts:38:5', 'node/contract.ts:38'],
    ['/home/me/my challenge-2/lib/src/scoring.ts:12:5', 'src/scoring.ts:12'],
    ['/srv/scoring.ts:12:5', 'srv/scoring.ts:12'],
  ])('of %s is %s', (frame, expected) => {
    showPlacesFrom('/home/me/my challenge')
    expect(placeOf(frame)).toBe(`AuthorError: score.compute failed at ${expected}: no weights`)
  })

  test.each([
    ['file:///C:/me/challenge/src/scoring.ts:12:5', 'challenge/src/scoring.ts:12'],
    ['C:\\me\\challenge\\src\\scoring.ts:12:5', 'challenge/src/scoring.ts:12'],
  ])('of %s, on Windows, is %s', (frame, expected) => {
    showPlacesFrom('C:\\me')
    expect(placeOf(frame)).toContain(`failed at ${expected}: no weights`)
  })
})

test('a function is called as a method of its owner', () => {
  const owner = { factor: 3, run(this: { factor: number }) { return { value: this.factor } } } // biome-ignore format: short
  expect(callAuthor({ path: 'score.compute', owner, run: owner.run }, {})).toEqual({ value: 3 })
})

test("a step continues after an author's error, and ends after an error of the engine", () => {
  const failing = (error: Error) => () => {
    throw error
  }
  const otherwise = (reason: string) => `void: ${reason}`
  expect(ifAuthorFails(() => 'scored', otherwise)).toBe('scored')
  expect(ifAuthorFails(failing(new AuthorError('no weights')), otherwise)).toBe('void: no weights')
  const own = new TypeError('a fault of the engine')
  expect(() => ifAuthorFails(failing(own), otherwise)).toThrow(own)
})
