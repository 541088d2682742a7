import { z } from 'zod'

/** The one message of a child process to its parent: its result, or why it failed. */
export const childAnswer = z.union([
  z.object({ value: z.record(z.string(), z.union([z.string(), z.number()])) }),
  z.object({ problem: z.string() }),
])
export type ChildAnswer = z.output<typeof childAnswer>
export type ChildValue = Extract<ChildAnswer, { value: unknown }>['value']

/** Main function of a child process: does the work and sends the result to the parent. */
export async function answerParent(work: () => Promise<ChildValue>): Promise<void> {
  let answer: ChildAnswer
  try {
    answer = { value: await work() }
  } catch (error) {
    answer = { problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  await sendAnswer(answer)
}

/**
 * Main function of a serving child process: starts, sends its address to the parent, and stops when the parent disconnects
 * or exits. Ignores Ctrl-C, because its clients still need it then.
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

/** The parent's request, from the command line. Throws a zod error if it is invalid. */
export function parentInput<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  return schema.parse(JSON.parse(process.argv[2] ?? 'null'))
}

function sendAnswer(answer: ChildAnswer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined)
      throw new Error('this is a child process of the benchmark: start npm run bench instead')
    // If the parent has exited, no message is needed.
    if (!process.connected) return resolve()
    process.send(answer, undefined, {}, (error) => (error === null ? resolve() : reject(error)))
  })
}
