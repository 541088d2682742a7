import { ReportError } from '@crunch/coordinator-node/client'
import type { RefObject } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { type Failure, failureOf, node } from '../../data/node.ts'
import { counted, wholeNumber } from '../../format/numbers.ts'
import { periodText } from '../../format/period.ts'
import { exactShare, sumOf } from '../../format/rewards.ts'
import { zoneName } from '../../format/times.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { KeyForm } from '../../parts/key-form.tsx'
import { type Checkpoint, paidOf } from './checkpoint-data.ts'
import { type NextMove, transactionProblem } from './next-move.ts'

interface MoveDialogProps {
  readonly of: Checkpoint
  readonly to: NextMove
  readonly label: string
  readonly close: () => void
  readonly done: () => void
}

/** Asks before a payout moves on: it shows which one and what it pays, and for a payment asks for its transaction. */
export function MoveDialog({ of: checkpoint, to, label, close, done }: MoveDialogProps) {
  const input = useRef<HTMLInputElement>(null)
  const [isSending, setSending] = useState(false)
  const [fieldProblem, setFieldProblem] = useState<string | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)

  function refuse(problem: string): void {
    setFieldProblem(problem)
    input.current?.focus()
  }

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const transaction = input.current?.value.trim() ?? ''
    const problem = to === 'SUBMITTED' ? transactionProblem(transaction) : null
    setFailure(null)
    setFieldProblem(null)
    if (problem !== null) return refuse(problem)
    setSending(true)
    try {
      await move(checkpoint.id, to, transaction)
      done()
      close()
    } catch (error) {
      setSending(false)
      // What the node says about the request itself is about its only field.
      const isAboutField = error instanceof ReportError && (error.status === 400 || error.status === 422)
      if (isAboutField && to === 'SUBMITTED') refuse(failureOf(error).text)
      else setFailure(failureOf(error))
    }
  }

  return (
    <Dialog title={`${label}?`} close={close}>
      <Summary of={checkpoint} />
      <form class="stack" onSubmit={submit} noValidate>
        {to === 'SUBMITTED' ? <TransactionField input={input} problem={fieldProblem} /> : null}
        {failure === null ? null : (
          <div class="failure" role="alert">
            <p class="lines">{failure.text}</p>
          </div>
        )}
        <div class="row">
          <button type="submit" class="primary" disabled={isSending}>
            {isSending ? 'Sending' : label}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
      {failure?.status === 401 || failure?.status === 403 ? <KeyForm /> : null}
      <p class="small quiet">A step cannot be taken back.</p>
    </Dialog>
  )
}

interface TransactionFieldProps {
  readonly input: RefObject<HTMLInputElement | null>
  readonly problem: string | null
}

function TransactionField({ input, problem }: TransactionFieldProps) {
  return (
    <div class="field">
      <label for="transaction">Id of the transaction that pays it</label>
      <input
        id="transaction"
        ref={input}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={problem !== null}
        aria-describedby="transaction-help transaction-problem"
      />
      <p class="small quiet" id="transaction-help">
        The signature on Solana, 64 bytes in base58. With a multisig: that of the execution, not of the proposal.
      </p>
      <p class="fail lines" id="transaction-problem" role="alert">
        {problem === null ? '' : `✕ ${problem}`}
      </p>
    </div>
  )
}

function Summary({ of: { id, period_start, period_end, meta } }: { readonly of: Checkpoint }) {
  const paid = paidOf(meta.ranking)
  const crunchers = new Set(paid.map(({ cruncher_id }) => cruncher_id)).size
  return (
    <dl class="pairs">
      <dt>Checkpoint</dt>
      <dd>
        <code>{id}</code>
      </dd>
      <dt>Period</dt>
      <dd>
        {periodText(period_start, period_end)} {zoneName()}
      </dd>
      <dt>Sum</dt>
      <dd>
        <strong>{exactShare(sumOf(paid))}</strong> ({wholeNumber(sumOf(paid))} units)
      </dd>
      <dt>Paid</dt>
      <dd>
        {counted(paid.length, 'model')} of {counted(crunchers, 'cruncher')}
      </dd>
      <dt>Best</dt>
      <dd>
        {paid[0] === undefined ? '' : `${paid[0].model_name ?? paid[0].model_id}, ${exactShare(paid[0].reward_pct)}`}
      </dd>
    </dl>
  )
}

async function move(id: string, to: NextMove, transaction: string): Promise<void> {
  const params = { checkpoint_id: id }
  if (to === 'SUBMITTED') {
    await node.post('/reports/checkpoints/{checkpoint_id}/confirm', { params, body: { tx_hash: transaction } })
  } else await node.patch('/reports/checkpoints/{checkpoint_id}/status', { params, body: { status: to } })
}
