import type { ComponentChildren } from 'preact'
import { useModal } from './use-modal.ts'

interface DrawerProps {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
}

/** Details of a row, at the right; the whole screen on a phone. Escape and Back close it, if the address names it. */
export function Drawer({ title, close, children }: DrawerProps) {
  const dialog = useModal()
  return (
    <dialog
      class="drawer"
      ref={dialog}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close()
      }}
    >
      <div class="panel-head">
        <h2>{title}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      {children}
    </dialog>
  )
}
