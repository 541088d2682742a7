import { type Failure, isKeyRefused } from '../data/node.ts'
import { KeyForm } from './key-form.tsx'

interface FailureNoteProps {
  readonly failure: Failure
  readonly hasData: boolean
  readonly retry: () => void
}

/** Why data are missing, what still holds, and what the reader can do. */
export function FailureNote({ failure, hasData, retry }: FailureNoteProps) {
  const { status, text, requestId } = failure
  const needsKey = status === 401 || status === 403
  return (
    <div class="failure" role="status">
      <p>
        {text}
        {hasData ? ' What is shown was read before that.' : ''}
      </p>
      {needsKey ? (
        <KeyForm />
      ) : (
        <div class="row">
          <button type="button" onClick={retry}>
            Try now
          </button>
          <span class="small quiet">The page tries again by itself.</span>
        </div>
      )}
      {status === 401 && isKeyRefused.value ? <p class="small">The key of this tab was refused.</p> : null}
      {requestId === undefined ? null : <p class="small quiet">Request {requestId}</p>}
    </div>
  )
}
