/**
 * Keeps the place of those who use a keyboard. When the focused element leaves the document, browsers go back to its start; here the
 * focus moves to the nearest part around it that can have it, the content of the page at last.
 */
export function keepFocus(): void {
  let chain: readonly HTMLElement[] = []
  document.addEventListener('focusin', ({ target }) => {
    chain = ancestorsOf(target)
  })
  new MutationObserver(() => {
    if (document.activeElement !== document.body || chain[0]?.isConnected !== false) return
    const around = chain.find((element) => element.isConnected && element.hasAttribute('tabindex'))
    if (around === undefined) focusContent()
    else around.focus({ preventScroll: true })
  }).observe(document.body, { childList: true, subtree: true })
}

/** Where a reader goes on after another page has been opened. */
export function focusContent(): void {
  document.getElementById('content')?.focus({ preventScroll: true })
}

/** The element first. */
function ancestorsOf(target: EventTarget | null): readonly HTMLElement[] {
  const chain: HTMLElement[] = []
  for (let element = target; element instanceof HTMLElement; element = element.parentElement) chain.push(element)
  return chain
}
