import type { ComponentChildren } from 'preact'

/** What is expected here, when, and what to do. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <div class="empty">{children}</div>
}
