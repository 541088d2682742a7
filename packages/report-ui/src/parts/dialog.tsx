import type { ComponentChildren } from 'preact'
import { useModal } from './use-modal.ts'
import './dialog.css'

interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
}

/** A question in front of the page. Escape and Cancel close it; a click beside it does not, since it may hold what was typed. */
export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useModal()
  return (
    <dialog class="dialog" ref={dialog} aria-label={title} onClose={close}>
      <h2>{title}</h2>
      {children}
    </dialog>
  )
}
