import { z } from 'zod'

/** What a child process tells its parent, once: what it was started for, or why there is nothing. */
export const childAnswer = z.union([
  z.object({ value: z.record(z.string(), z.union([z.string(), z.number()])) }),
  z.object({ problem: z.string() }),
])
export type ChildAnswer = z.output<typeof childAnswer>
export type ChildValue = Extract<ChildAnswer, { value: unknown }>['value']

/** The part of a child process: does the work and tells the parent what came of it. */
export async function answerParent(work: () => Promise<ChildValue>): Promise<void> {
  let answer: ChildAnswer
  try {
    answer = { value: await work() }
  } catch (error) {
    answer = { problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  await tell(answer)
}

/**
 * The part of a child process that serves until it is no longer wanted: starts, tells the parent where, and stops when the
 * parent lets go of it or is gone. Ctrl-C reaches it too, but those it serves still need it then.
 */
export async function serveParent(
  start: () => Promise<{ value: ChildValue; stop: () => Promise<void> }>,
): Promise<void> {
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  const released = new Promise<void>((resolve) => process.once('disconnect', resolve))
  let stop = async () => {}
  await answerParent(async () => {
    const started = await start()
    stop = started.stop
    return started.value
  })
  await released
  await stop()
}

/** What the parent asked for, from the command line. Throws zod's findings when it is something else. */
export function parentInput<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  return schema.parse(JSON.parse(process.argv[2] ?? 'null'))
}

function tell(answer: ChildAnswer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined)
      throw new Error('this is a child process of the benchmark: start npm run bench instead')
    // A parent that is gone hears nothing, and needs nothing.
    if (!process.connected) return resolve()
    process.send(answer, undefined, {}, (error) => (error === null ? resolve() : reject(error)))
  })
}
