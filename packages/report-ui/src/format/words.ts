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
  floor_unknown: 'the floor is unknown, since the baseline did not run',
  not_above_floor: 'not better than the floor',
  no_share: 'its rank gets no share',
}

export const statusWords: Readonly<Record<string, string>> = {
  PENDING: 'waits for the truth',
  SCORED: 'scored',
  FAILED: 'failed',
  ABSENT: 'no answer',
}

/** `score_recent` → `recent`; underscores become spaces. */
export function columnName(key: string): string {
  return key.replace(/^score_/, '').replaceAll('_', ' ')
}

export function wordOf(words: Readonly<Record<string, string>>, key: string | null | undefined): string {
  return key === null || key === undefined ? '' : (words[key] ?? key.replaceAll('_', ' '))
}
