import { useLocation, useSearch } from 'wouter-preact'

type Changes = Readonly<Record<string, string | null>>

export type UrlState = readonly [Readonly<Record<string, string>>, (changes: Changes) => void]

/** The state of the page in its address, so that a link shows the same; null removes a name. Nothing is added to the history. */
export function useUrlState(): UrlState {
  const search = useSearch()
  const [path, go] = useLocation()
  const state = Object.fromEntries(new URLSearchParams(search))
  const change = (changes: Changes): void => {
    go(addressWith(path, changes), { replace: true })
  }
  return [state, change]
}

/** The address of this page with changes, for a link, which adds to the history. */
export function useAddressWith(): (changes: Changes) => string {
  useSearch()
  const [path] = useLocation()
  return (changes) => addressWith(path, changes)
}

function addressWith(path: string, changes: Changes): string {
  const next = new URLSearchParams(window.location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name)
    else next.set(name, value)
  }
  const text = next.toString()
  return text === '' ? path : `${path}?${text}`
}
