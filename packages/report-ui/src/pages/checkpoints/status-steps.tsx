import { checkpointWords, wordOf } from '../../format/words.ts'
import { CopyButton } from '../../parts/copyable.tsx'
import { Instant } from '../../parts/time.tsx'
import type { Checkpoint } from './checkpoint-data.ts'

const later = ['SUBMITTED', 'CLAIMABLE', 'PAID'] as const

/** The way of a payout: each step with its time, and those that are still to come. */
export function StatusSteps({ of: { created_at, status, meta } }: { readonly of: Checkpoint }) {
  if (meta.emission_reason !== null) return <p class="quiet">It pays no model, so it stays as it closed.</p>
  return (
    <ol class="steps">
      <Step name="PENDING" word="closed" at={created_at} isNow={status === 'PENDING'} />
      {later.map((name) => {
        const move = meta.moves.find(({ to }) => to === name)
        return (
          <Step
            key={name}
            name={name}
            word={wordOf(checkpointWords, name)}
            at={move?.at ?? null}
            isNow={status === name}
          >
            {move?.tx_hash == null ? null : <Transaction id={move.tx_hash} isVerified={move.is_verified === true} />}
          </Step>
        )
      })}
    </ol>
  )
}

interface StepProps {
  readonly name: string
  readonly word: string
  readonly at: string | null
  readonly isNow: boolean
  readonly children?: preact.ComponentChildren
}

function Step({ name, word, at, isNow, children }: StepProps) {
  return (
    <li class={at === null ? 'quiet' : ''} aria-current={isNow ? 'step' : undefined}>
      <span aria-hidden="true">{at === null ? '○' : '●'}</span>
      <div>
        <p>
          {isNow ? <strong>{word}</strong> : word} <span class="small quiet">{name}</span>
        </p>
        <p class="small">{at === null ? 'still to come' : <Instant at={at} />}</p>
        {children}
      </div>
    </li>
  )
}

function Transaction({ id, isVerified }: { readonly id: string; readonly isVerified: boolean }) {
  return (
    <>
      <p class="row small">
        <code class="cut transaction">{id}</code>
        <CopyButton text={id} label="Copy" />
      </p>
      <p class="small">
        {isVerified
          ? 'The node found this transaction on chain, final and successful.'
          : 'The node did not ask the chain for this transaction.'}
      </p>
    </>
  )
}
