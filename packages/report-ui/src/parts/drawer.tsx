import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface DrawerProps {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
}

/** Details of a row, at the right; the whole screen on a phone. Escape and Back close it, if the address names it. */
export function Drawer({ title, close, children }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
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
