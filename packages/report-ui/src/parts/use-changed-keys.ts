import { useEffect, useRef, useState } from 'preact/hooks'

const none: ReadonlySet<string> = new Set()

/** The keys of the rows that changed in the last two seconds. Rows of the first rendering and new ones have not changed. */
export function useChangedKeys<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  versionOf?: (row: Row) => string,
): ReadonlySet<string> {
  const known = useRef<ReadonlyMap<string, string>>(new Map())
  const [changed, setChanged] = useState(none)
  useEffect(() => {
    if (versionOf === undefined) return
    const versions = new Map(rows.map((row) => [keyOf(row), versionOf(row)]))
    const before = known.current
    known.current = versions
    const news = [...versions].flatMap(([key, version]) => {
      const old = before.get(key)
      return old !== undefined && old !== version ? [key] : []
    })
    if (news.length === 0) return
    setChanged(new Set(news))
    const timer = setTimeout(() => setChanged(none), 2_000)
    return () => clearTimeout(timer)
  }, [rows])
  return changed
}
