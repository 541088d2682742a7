import { type AnswerOf, ReportError } from '@crunch/coordinator-node/client'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'

export type Readiness = AnswerOf<'get', '/readyz'>
export type Health = AnswerOf<'get', '/healthz'>

/** A node that is not ready answers 503, with the same rows. */
export const useReadiness = () =>
  useResource<Readiness>(
    'readiness',
    (signal) => node.get('/readyz', { signal }).catch((error) => bodyOf<Readiness>(error, 'checks')),
    { topics: ['feeds', 'models'], everyMs: 15_000 },
  )

/** The body of a 503 that is an answer; throws any other error. */
function bodyOf<Answer>(error: unknown, field: keyof Answer & string): Answer {
  const isAnswer = error instanceof ReportError && error.status === 503
  if (isAnswer && typeof error.body === 'object' && error.body !== null && field in error.body)
    return error.body as Answer
  throw error
}
