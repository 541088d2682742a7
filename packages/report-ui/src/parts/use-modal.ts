import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** Opens a dialog in front of the page, and gives the focus back to what had it, also when the dialog is taken away while open. */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    return () => {
      // What is behind an open dialog cannot be focused before it is gone.
      if (opener instanceof HTMLElement && opener !== document.body) queueMicrotask(() => opener.focus())
    }
  }, [])
  return dialog
}
