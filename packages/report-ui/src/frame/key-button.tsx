import { useState } from 'preact/hooks'
import { accessKey, isKeyRefused } from '../data/node.ts'
import { Drawer } from '../parts/drawer.tsx'
import { KeyForm } from '../parts/key-form.tsx'

/** Where a viewer says who they are. */
export function KeyButton() {
  const [isOpen, setOpen] = useState(false)
  const close = (): void => setOpen(false)
  return (
    <>
      <button type="button" aria-pressed={accessKey.value !== ''} onClick={() => setOpen(true)}>
        {accessKey.value !== '' ? 'Key in use' : isKeyRefused.value ? '▲ Key refused' : 'Key'}
      </button>
      {isOpen ? (
        <Drawer title="Your key" close={close}>
          <p>
            With a participant's key this page also shows the logs, failures and hidden answers of that participant's
            models. With an organizer's key it confirms checkpoints and starts backfills. The organizer makes keys with{' '}
            <code>crunch keys</code>.
          </p>
          {isKeyRefused.value ? <p class="warn">The key of this tab was refused, so it was forgotten.</p> : null}
          <KeyForm done={close} />
          <p class="small quiet">
            The key stays in this tab and is sent to this node only. It is forgotten when the tab closes.
          </p>
        </Drawer>
      ) : null}
    </>
  )
}
