import { counted } from '../../format/numbers.ts'
import type { Checkpoint } from './checkpoint-data.ts'

export type NextMove = 'SUBMITTED' | 'CLAIMABLE' | 'PAID'

/** Where a payout goes next; null: nowhere. */
export function nextMove({ status, meta }: Pick<Checkpoint, 'status' | 'meta'>): NextMove | null {
  if (meta.emission_reason !== null) return null
  const next = { PENDING: 'SUBMITTED', SUBMITTED: 'CLAIMABLE', CLAIMABLE: 'PAID', PAID: null } as const
  return next[status]
}

/** Why the node would refuse a confirmation, and what to do; null: it would not. */
export function paymentBlock({
  id,
  meta,
}: Pick<Checkpoint, 'id' | 'meta'>): { readonly text: string; readonly command?: string } | null {
  if (meta.refusals.length > 0 && meta.acknowledged_by === null) {
    return {
      text: 'Results of the period were refused. Check the payout; if it is correct all the same, accept it with',
      command: `npx crunch checkpoint export ${id} --acknowledged-by YOUR_NAME`,
    }
  }
  if (meta.registry_problem !== null) return { text: `The payment waits: ${meta.registry_problem}.` }
  const unmapped = meta.unmapped_model_ids.length
  if (unmapped === 0) return null
  return { text: `Add the crunchers of ${counted(unmapped, 'winner')} to the registry: they have no wallet yet.` }
}

/** A node without keys takes changes from its own machine only; everywhere else they need a key. */
export function canActHere(key: string, host: string): boolean {
  return (
    key !== '' ||
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d+){3}$/.test(host)
  )
}

/** Why a text is not the id of a transaction, as far as this page can tell; null: it may be one. */
export function transactionProblem(text: string): string | null {
  if (text === '') return 'Paste the id of the transaction that pays this checkpoint.'
  if (/[^1-9A-HJ-NP-Za-km-z]/.test(text))
    return 'It has characters that such an id never has: base58 is without 0, O, I, l.'
  // 64 bytes are 64 to 88 digits.
  if (text.length < 64 || text.length > 88)
    return `It has ${text.length} characters; such an id has 64 to 88, mostly 88.`
  return null
}
