import { useLayoutEffect, useRef } from 'preact/hooks'

const moveMs = 200

/** Moves each row of a table from its old place to its new one. The document has the rows in their new order at once. */
export function useMovingRows(body: { readonly current: HTMLElement | null }, rowHeight: number): void {
  const places = useRef<ReadonlyMap<string, number>>(new Map())
  useLayoutEffect(() => {
    const before = places.current
    const rows = [...(body.current?.querySelectorAll<HTMLElement>('[data-key]') ?? [])]
    const now = new Map(rows.map((row) => [row.dataset.key ?? '', Number(row.getAttribute('aria-rowindex'))]))
    places.current = now
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) return
    for (const row of rows) {
      const from = before.get(row.dataset.key ?? '')
      const to = now.get(row.dataset.key ?? '') ?? 0
      if (from === undefined || from === to) continue
      const start = `translateY(${(from - 2) * rowHeight}px)`
      row.animate([{ transform: start }, { transform: row.style.transform }], { duration: moveMs, easing: 'ease-out' })
    }
  })
}
