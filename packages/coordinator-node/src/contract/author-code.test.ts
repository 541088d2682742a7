import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorText } from '@crunch/local-processes/errors'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { AuthorError, type AuthorFunction, callAuthor, ifAuthorFails, parseReturned } from './author-code.ts'

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
