import type { AnswerOf } from '@crunch/coordinator-node/client'
import type { Mood } from '../../parts/state-mark.tsx'

export type Feed = AnswerOf<'get', '/reports/feeds'>[number]

export const feedMoods: Readonly<Record<Feed['status'], Mood>> = {
  ...{ up: 'ok', stale: 'warn', suspect: 'warn', frozen: 'fail', down: 'fail' },
}

/** What a state means, and what follows for rounds. */
export const feedWords: Readonly<Record<Feed['status'], string>> = {
  up: 'Records arrive and can be trusted.',
  stale:
    'No record has arrived for longer than expected. Rounds wait for their truth, and become void if it does not come.',
  frozen: 'The same values repeat, so they are not trusted: rounds whose truth depends on them become void.',
  suspect: 'The values are implausible, so they are not trusted: rounds whose truth depends on them become void.',
  down: 'The node does not follow the series: no record arrives.',
}
