import { effect, signal } from '@preact/signals'
import { keptText } from './storage.ts'

type Theme = 'system' | 'light' | 'dark'
type Zone = 'utc' | 'local'

/** A choice that this browser keeps. */
function choice<Value extends string>(name: string, values: readonly [Value, ...Value[]]) {
  const kept = keptText('localStorage', name)
  const stored = values.find((value) => value === kept.read())
  const chosen = signal<Value>(stored ?? values[0])
  effect(() => kept.write(chosen.value))
  return chosen
}

export const theme = choice<Theme>('crunch-theme', ['system', 'light', 'dark'])
export const zone = choice<Zone>('crunch-zone', ['utc', 'local'])

/** Whether the system asks for dark colours. */
const dark = signal(false)

/** The colours that are shown. */
export function shownTheme(): 'light' | 'dark' {
  return theme.value === 'system' ? (dark.value ? 'dark' : 'light') : theme.value
}

/** Keeps the document in the colours that the viewer, or else the system, chose. */
export function followTheme(): void {
  const query = window.matchMedia('(prefers-color-scheme: dark)')
  dark.value = query.matches
  query.addEventListener('change', () => {
    dark.value = query.matches
  })
  effect(() => {
    document.documentElement.dataset.theme = shownTheme()
  })
}
