/** What the words of the API mean to a reader. */

export const unrankedReasons: Readonly<Record<string, string>> = {
  baseline: 'baseline of the organizer, never ranked',
  organizer: 'model of the organizer, never ranked',
  retired: 'no longer takes part',
  no_data: 'no score in the ranking window yet',
  no_value: 'its scores give no value in the ranking window',
  waiting: 'newcomer: has not yet answered enough rounds of the ranking window',
  low_coverage: 'answered too few rounds of the ranking window',
}

export const unpaidReasons: Readonly<Record<string, string>> = {
  baseline: 'baseline of the organizer, never paid',
  organizer: 'model of the organizer, never paid',
  retired: 'no longer takes part',
  no_answer: 'no valid answer in the period',
  no_value: 'its scores give no value',
  low_coverage: 'answered too few rounds of the period',
  floor_unknown: 'the floor is unknown, since its baseline has no value that counts',
  not_above_floor: 'not better than the floor',
  no_share: 'its rank gets no share',
}

/** Why a whole payout is empty. */
export const emissionReasons: Readonly<Record<string, string>> = {
  no_payable_model: 'No model meets the conditions of a payment, so this payout is empty.',
  floor_unknown:
    'The floor is unknown, since its baseline did not answer enough rounds or has no value, so no model is paid.',
  nobody_above_floor: 'No model is better than the floor, so no model is paid.',
}

export const checkpointWords: Readonly<Record<string, string>> = {
  PENDING: 'not paid yet',
  SUBMITTED: 'payment sent',
  CLAIMABLE: 'can be claimed',
  PAID: 'paid',
}

export const statusWords: Readonly<Record<string, string>> = {
  PENDING: 'waits for the truth',
  SCORED: 'scored',
  FAILED: 'failed',
  ABSENT: 'no answer',
}

/** Why there is no valid answer, as in docs/fairness.md. */
export const answerReasons: Readonly<Record<string, string>> = {
  invalid_output: 'the answer does not have the form of the contract',
  output_too_large: 'the answer is larger than the contract allows',
  model_error: 'the model failed while it answered',
  bad_implementation: 'the model does not implement what is asked',
  invalid_call: 'the model rejected the call',
  access_denied: 'the model rejected this node',
  unauthenticated: 'the answer lacks a proof that it is the model’s',
  timeout: 'no answer in time',
  coordinator_stalled: 'the node stalled, so it is unknown whether the answer was in time',
  busy: 'the model was still working on an earlier call',
  queue_full: 'too many earlier calls wait for the model',
  no_room: 'large answers filled the shared buffer',
  not_running: 'the model was not running',
  orchestrator_unreachable: 'the node had no connection to the orchestrator',
  orchestrator_restarted: 'the orchestrator restarted',
  coordinator_restarted: 'the node restarted before the answers were stored',
  stored_late: 'the answer was stored after the truth could be known',
  truth_unavailable: 'the truth stayed unknown',
  contract_changed: 'the contract changed before the round was settled',
}

/** Who is held responsible for a missing answer, and what follows. */
export const blameWords: Readonly<Record<string, string>> = {
  model: 'the model is to blame',
  coordinator: 'the node is to blame, not the model',
}

export const scoreKinds: Readonly<Record<string, string>> = {
  valid: 'computed from the answer and the truth',
  imputed: 'given in the place of a missing answer, as the contract says',
  failed: 'no score could be computed; it counts in no average',
}

/** `score_recent` → `recent`; underscores become spaces. */
export function columnName(key: string): string {
  return key.replace(/^score_/, '').replaceAll('_', ' ')
}

export function wordOf(words: Readonly<Record<string, string>>, key: string | null | undefined): string {
  return key === null || key === undefined ? '' : (words[key] ?? key.replaceAll('_', ' '))
}
