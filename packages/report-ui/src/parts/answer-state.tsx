import type { AnswerOf } from '@crunch/coordinator-node/client'
import { answerReasons, blameWords, statusWords, wordOf } from '../format/words.ts'
import { type Mood, StateMark } from './state-mark.tsx'

type Answer = Pick<AnswerOf<'get', '/reports/predictions/{prediction_id}'>, 'status' | 'reason' | 'blame'>

const moods: Readonly<Record<Answer['status'], Mood>> = {
  PENDING: 'quiet',
  SCORED: 'ok',
  FAILED: 'fail',
  ABSENT: 'fail',
}

/** What became of an answer. Only what counts against the model is red. */
export function AnswerState({ status, blame }: Pick<Answer, 'status' | 'blame'>) {
  return <StateMark mood={blame === 'coordinator' ? 'warn' : moods[status]} word={wordOf(statusWords, status)} />
}

/** Why there is no valid answer, and who is held responsible. */
export function answerReason({ reason, blame }: Pick<Answer, 'reason' | 'blame'>): string {
  if (reason === null) return ''
  const why = wordOf(answerReasons, reason)
  return blame === null ? why : `${why}: ${wordOf(blameWords, blame)}`
}
