import { useState } from 'preact/hooks'
import { accessKey } from '../../data/node.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { KeyForm } from '../../parts/key-form.tsx'
import type { Checkpoint } from './checkpoint-data.ts'
import { MoveDialog } from './move-dialog.tsx'
import { canActHere, type NextMove, nextMove, paymentBlock } from './next-move.ts'

interface PayoutActionsProps {
  readonly of: Checkpoint
  readonly reload: () => void
}

const labels: Readonly<Record<NextMove, string>> = {
  SUBMITTED: 'Confirm the payment',
  CLAIMABLE: 'Mark as claimable',
  PAID: 'Mark as paid',
}

/** The next step of a payout, for the organizer. */
export function PayoutActions({ of: checkpoint, reload }: PayoutActionsProps) {
  const [isOpen, setOpen] = useState(false)
  const to = nextMove(checkpoint)
  if (to === null) return null
  const block = to === 'SUBMITTED' ? paymentBlock(checkpoint) : null
  if (!canActHere(accessKey.value, window.location.hostname)) {
    return (
      <details>
        <summary>For the organizer</summary>
        <div class="stack">
          <p class="quiet">The next step needs a key of the organizer.</p>
          <KeyForm />
        </div>
      </details>
    )
  }
  return (
    <div class="actions">
      {block === null ? (
        <button type="button" onClick={() => setOpen(true)}>
          {labels[to]}
        </button>
      ) : (
        <>
          <p>{block.text}</p>
          {block.command === undefined ? null : <Copyable text={block.command} />}
        </>
      )}
      {isOpen ? (
        <MoveDialog of={checkpoint} to={to} label={labels[to]} close={() => setOpen(false)} done={reload} />
      ) : null}
    </div>
  )
}
