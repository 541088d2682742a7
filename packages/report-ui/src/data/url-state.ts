import { useLocation, useSearch } from 'wouter-preact'

export type UrlState = readonly [
  Readonly<Record<string, string>>,
  (changes: Readonly<Record<string, string | null>>) => void,
]

/** The state of the page in its address, so that a link shows the same; null removes a name. Nothing is added to the history. */
export function useUrlState(): UrlState {
  const search = useSearch()
  const [path, go] = useLocation()
  const state = Object.fromEntries(new URLSearchParams(search))
  const change = (changes: Readonly<Record<string, string | null>>): void => {
    const next = new URLSearchParams(window.location.search)
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === '') next.delete(name)
      else next.set(name, value)
    }
    const text = next.toString()
    go(text === '' ? path : `${path}?${text}`, { replace: true })
  }
  return [state, change]
}
