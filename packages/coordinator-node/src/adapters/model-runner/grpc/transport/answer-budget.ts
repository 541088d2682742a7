import { LARGE_ANSWER_BYTES } from './large-answers.ts'

export interface AnswerBudgetOptions {
  /** Memory for the large answers of all models together, in bytes. */
  readonly maxBytes: number
  /** Number of models that are currently called. */
  readonly modelCount: () => number
}

/**
 * Bounds the memory that answers take while their dispatches run. Answers up to `LARGE_ANSWER_BYTES` are not counted.
 * Half of the budget is split evenly: each model's share is guaranteed, whatever the others answer. The other half goes
 * to the first answers that need it. So models with huge answers can take room only from each other.
 */
export interface AnswerBudget {
  /** For one dispatch. */
  open(): DispatchAnswers
}

/** `too-much`: there is no room, and with this answer the model would hold more than an even part of the whole budget. */
export type Room = 'taken' | 'no-room' | 'too-much'

export interface DispatchAnswers {
  /** Reserves room for an answer that is about to be read, if there is any. */
  take(modelId: string, bytes: number): Room
  /** Ends the dispatch: frees the room of its answers and refuses further ones. */
  release(): void
}

export function createAnswerBudget({ maxBytes, modelCount }: AnswerBudgetOptions): AnswerBudget {
  const halfBytes = maxBytes / 2
  /** Bytes in each model's reserved part; `heldBytes` also includes the shared half. */
  const ownBytes = createTally()
  const heldBytes = createTally()
  let sharedBytes = 0

  /** The reservation, to be released later; `undefined` if there is no room. */
  function takeRoom(modelId: string, bytes: number): (() => void) | undefined {
    if (ownBytes.of(modelId) + bytes <= halfBytes / Math.max(1, modelCount())) return ownBytes.add(modelId, bytes)
    if (sharedBytes + bytes > halfBytes) return undefined
    sharedBytes += bytes
    return () => {
      sharedBytes -= bytes
    }
  }

  return {
    open() {
      const givesBack: (() => void)[] = []
      let isOver = false
      return {
        take(modelId, bytes) {
          if (isOver) return 'no-room'
          if (bytes <= LARGE_ANSWER_BYTES) return 'taken'
          const giveBack = takeRoom(modelId, bytes)
          if (giveBack === undefined) {
            return heldBytes.of(modelId) + bytes > maxBytes / Math.max(1, modelCount()) ? 'too-much' : 'no-room'
          }
          givesBack.push(giveBack, heldBytes.add(modelId, bytes))
          return 'taken'
        },
        release() {
          isOver = true
          for (const giveBack of givesBack.splice(0)) giveBack()
        },
      }
    },
  }
}

/** Bytes by model; models that hold none are removed. */
function createTally() {
  const bytesOf = new Map<string, number>()
  function change(modelId: string, bytes: number): void {
    const left = (bytesOf.get(modelId) ?? 0) + bytes
    if (left === 0) bytesOf.delete(modelId)
    else bytesOf.set(modelId, left)
  }
  return {
    of: (modelId: string) => bytesOf.get(modelId) ?? 0,
    add(modelId: string, bytes: number): () => void {
      change(modelId, bytes)
      return () => change(modelId, -bytes)
    },
  }
}
