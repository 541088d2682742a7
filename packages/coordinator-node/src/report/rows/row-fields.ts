import type { Instant } from '../../domain/time.ts'

/** `2026-03-01T10:00:00.000`: for x values of charts, which append the `Z` themselves. */
export function naiveTime(at: Instant): string {
  return new Date(at).toISOString().slice(0, -1)
}

/** `2026-03-01T10:00:00.000Z`: for all other times. */
export function zonedTime(at: Instant): string {
  return new Date(at).toISOString()
}

export function timeOrNull(at: Instant | null): string | null {
  return at === null ? null : zonedTime(at)
}

/** `score_recent` for the window `recent`; a window already named `score_recent` keeps its name. */
export function windowKey(window: string): string {
  return window.startsWith('score_') ? window : `score_${window}`
}

/** Ensembles have rows like any model but are not submitted by participants. */
export function isEnsemble(modelId: string): boolean {
  return /^__ensemble_.+__$/.test(modelId)
}

/** The named fields, `null` if there is no number. */
export function numbersOf(
  names: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Record<string, number | null> {
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(values, name) ? values[name] : null
      return [name, typeof value === 'number' ? value : null]
    }),
  )
}
