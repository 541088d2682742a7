import { useLayoutEffect, useState } from 'preact/hooks'

/** The width of an element in pixels, also when it changes; 0 before it is shown. */
export function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const target = element.current
    if (target === null) return
    const watch = new ResizeObserver(() => setWidth(target.clientWidth))
    watch.observe(target)
    setWidth(target.clientWidth)
    return () => watch.disconnect()
  }, [])
  return width
}
