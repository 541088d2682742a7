import type { RenderedAnswer } from './send-answer.ts'

/** Of all answers of a route, plain and compressed; the newest one is kept in any case. */
const maxBytes = 64 * 1_048_576
const maxAnswers = 16

export interface AnswerCache {
  /** The answer with this key. It is rendered once, also when many ask for it at the same time. */
  get(key: string, render: () => Promise<RenderedAnswer>): Promise<RenderedAnswer>
}

/** Keeps rendered answers, those used last. */
export function createAnswerCache(): AnswerCache {
  const answers = new Map<string, Promise<RenderedAnswer>>()
  const sizes = new Map<string, number>()

  function forget(key: string): void {
    answers.delete(key)
    sizes.delete(key)
  }

  function makeRoom(): void {
    const total = () => [...sizes.values()].reduce((sum, size) => sum + size, 0)
    for (const key of [...answers.keys()].slice(0, -1)) {
      if (answers.size <= maxAnswers && total() <= maxBytes) return
      forget(key)
    }
  }

  return {
    get(key, render) {
      const known = answers.get(key)
      if (known !== undefined) {
        // To the end: the order is that of use.
        answers.delete(key)
        answers.set(key, known)
        return known
      }
      const rendering = render().then(
        (answer) => {
          // Text compresses to less than its size.
          if (answers.get(key) === rendering) sizes.set(key, 2 * answer.bytes.length)
          makeRoom()
          return answer
        },
        (error: unknown) => {
          if (answers.get(key) === rendering) forget(key)
          throw error
        },
      )
      answers.set(key, rendering)
      return rendering
    },
  }
}
