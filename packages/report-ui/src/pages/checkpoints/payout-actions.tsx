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

/** What a dialog asks about. It stays as it was opened: a step that another organizer takes meanwhile must not become the next one. */
interface Asked {
  readonly of: Checkpoint
  readonly to: NextMove
}

/** The next step of a payout, for the organizer. */
export function PayoutActions({ of: checkpoint, reload }: PayoutActionsProps) {
  const [asked, setAsked] = useState<Asked | null>(null)
  const to = nextMove(checkpoint)
  return (
    <>
      {to === null ? null : <NextStep of={checkpoint} to={to} ask={() => setAsked({ of: checkpoint, to })} />}
      {asked === null ? null : (
        <MoveDialog {...asked} label={labels[asked.to]} close={() => setAsked(null)} done={reload} />
      )}
    </>
  )
}

function NextStep({ of: checkpoint, to, ask }: Asked & { readonly ask: () => void }) {
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
        <button type="button" onClick={ask}>
          {labels[to]}
        </button>
      ) : (
        <>
          <p>{block.text}</p>
          {block.command === undefined ? null : <Copyable text={block.command} />}
        </>
      )}
    </div>
  )
}
