import type { Payees } from '../stages/checkpoint/close-checkpoint.ts'
import type { Settings } from './settings.ts'

/** The on-chain names that an operator has set. */
export function payeesOf(settings: Settings): Payees {
  return {
    crunch: settings.CRUNCH_PUBKEY ?? null,
    computeProvider: settings.COMPUTE_PROVIDER_PUBKEY ?? null,
    dataProvider: settings.DATA_PROVIDER_PUBKEY ?? null,
  }
}
