import { LARGE_ANSWER_BYTES } from './large-answers.ts'

export interface AnswerBudgetOptions {
  /** What the large answers of all models may take at once, in bytes. */
  readonly maxBytes: number
  /** How many models are called now. */
  readonly modelCount: () => number
}

/**
 * Bounds the memory that answers take while their dispatches run. Answers up to `LARGE_ANSWER_BYTES` are not counted. Half of the
 * budget is split evenly: what a model may take by itself, whatever the others answer. The other half is for whoever
 * comes first. So models with huge answers can only take room from each other.
 */
export interface AnswerBudget {
  /** For one dispatch. */
  open(): DispatchAnswers
}

export interface DispatchAnswers {
  /** Counts an answer that is about to be read; false when there is no room for it. */
  take(modelId: string, bytes: number): boolean
  /** The dispatch is over: what its answers took is free again, and nothing more is taken. */
  release(): void
}

export function createAnswerBudget({ maxBytes, modelCount }: AnswerBudgetOptions): AnswerBudget {
  const halfBytes = maxBytes / 2
  const ownBytes = new Map<string, number>()
  let sharedBytes = 0

  function addOwn(modelId: string, bytes: number): void {
    const left = (ownBytes.get(modelId) ?? 0) + bytes
    if (left === 0) ownBytes.delete(modelId)
    else ownBytes.set(modelId, left)
  }

  return {
    open() {
      const givesBack: (() => void)[] = []
      let isOver = false
      return {
        take(modelId, bytes) {
          if (isOver) return false
          if (bytes <= LARGE_ANSWER_BYTES) return true
          if ((ownBytes.get(modelId) ?? 0) + bytes <= halfBytes / Math.max(1, modelCount())) {
            addOwn(modelId, bytes)
            givesBack.push(() => addOwn(modelId, -bytes))
            return true
          }
          if (sharedBytes + bytes > halfBytes) return false
          sharedBytes += bytes
          givesBack.push(() => {
            sharedBytes -= bytes
          })
          return true
        },
        release() {
          isOver = true
          for (const giveBack of givesBack.splice(0)) giveBack()
        },
      }
    },
  }
}
