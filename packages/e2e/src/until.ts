import { setTimeout } from 'node:timers/promises'

const pollMs = 100

/** Waits until a condition holds; throws with its name when it does not within the limit. */
export async function until(what: string, limitMs: number, condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${limitMs} ms in vain for ${what}`)
    await setTimeout(pollMs)
  }
}
