import { computed, signal } from '@preact/signals'
import { node } from './node.ts'
import { onEvent } from './stream.ts'

/** This machine's time in ms, once a second while the page is visible. */
export const wallNow = signal(Date.now())

/** The node's answer, and this machine's time when it came. */
const reading = signal<{ readonly nodeMs: number; readonly wallMs: number } | null>(null)

/** More than this apart, the clocks do not show the same time: the node replays a recording, or one of them is wrong. */
const apartMs = 90_000

/** Whether the competition runs at the time of this machine. */
export const isAtWallTime = computed(
  () => reading.value === null || Math.abs(reading.value.nodeMs - reading.value.wallMs) < apartMs,
)

/** The competition's time in ms. A replay's stands still between its records. */
export const competitionNow = computed(() => {
  if (reading.value === null) return wallNow.value
  const { nodeMs, wallMs } = reading.value
  return isAtWallTime.value ? nodeMs + (wallNow.value - wallMs) : nodeMs
})

/** Follows both clocks; returns what ends it. */
export function followTime(): () => void {
  let isReading = false
  async function read(): Promise<void> {
    if (isReading) return
    isReading = true
    try {
      const { now } = await node.get('/info')
      reading.value = { nodeMs: Date.parse(now), wallMs: Date.now() }
    } catch {
      // The strip says that the node does not answer; the time runs on by the last reading.
    }
    isReading = false
  }
  void read()
  const tick = setInterval(() => {
    if (!document.hidden) wallNow.value = Date.now()
  }, 1_000)
  const poll = setInterval(read, 30_000)
  const ignore = onEvent(() => {
    if (!isAtWallTime.peek()) void read()
  })
  return () => {
    clearInterval(tick)
    clearInterval(poll)
    ignore()
  }
}
