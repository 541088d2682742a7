import { effect, signal } from '@preact/signals'

type Theme = 'system' | 'light' | 'dark'
type Zone = 'utc' | 'local'

/** A choice that this browser keeps. */
function kept<Value extends string>(name: string, values: readonly [Value, ...Value[]]) {
  const stored = values.find((value) => value === localStorage.getItem(name))
  const choice = signal<Value>(stored ?? values[0])
  effect(() => localStorage.setItem(name, choice.value))
  return choice
}

export const theme = kept<Theme>('crunch-theme', ['system', 'light', 'dark'])
export const zone = kept<Zone>('crunch-zone', ['utc', 'local'])

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme.value
})
