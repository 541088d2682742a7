import type { ModelIdentity } from '../domain/models/model.ts'
import type { Blame } from '../domain/prediction.ts'

/** A typed argument of a model's method, as the protocol defines them. */
export type ModelArgument =
  | { readonly type: 'STRING'; readonly value: string }
  | { readonly type: 'INT'; readonly value: number }
  | { readonly type: 'DOUBLE'; readonly value: number }
  | { readonly type: 'JSON'; readonly value: unknown }

export interface ModelCall {
  readonly method: string
  readonly arguments: readonly ModelArgument[]
}

/** The outcome of one call to one model. A model's fault is data here, never a rejection. */
export type ModelAnswer =
  | { readonly status: 'answered'; readonly output: unknown; readonly durationMs: number }
  | {
      readonly status: 'failed' | 'absent'
      /** `model_error`, `bad_implementation`, `timeout`, `not_running`, `busy`, `queue_full`, `coordinator_stalled`, … */
      readonly reason: string
      readonly blame: Blame
      /** In words; at most 2,000 characters. */
      readonly detail: string
      /** `null` when no call was made. */
      readonly durationMs: number | null
    }

/**
 * Whether a model claims that the call or this coordinator is at fault, not the model. It may claim that for every
 * call.
 */
export function isRefusal(answer: ModelAnswer): answer is Exclude<ModelAnswer, { status: 'answered' }> {
  return answer.status !== 'answered' && (answer.reason === 'invalid_call' || answer.reason === 'access_denied')
}

/** One connected model's answers, in the order of the calls. */
export interface ModelAnswers {
  readonly modelId: string
  readonly answers: readonly ModelAnswer[]
}

/** How its consumer judged a delivered answer, or a refusal to answer. */
export interface Judgement {
  readonly modelId: string
  readonly method: string
  /** What is wrong with the answer, beginning with the reason; `null` when it was accepted. */
  readonly problem: string | null
}

/** Why the coordinator is to blame for a model's absence. `not_running`: the orchestrator is replacing or recovering it. */
export interface AbsenceExcuse {
  readonly reason: 'orchestrator_unreachable' | 'orchestrator_restarted' | 'not_running'
  /** In words. */
  readonly detail: string
}

/** The models that can be called now. */
export interface ModelRunner {
  /** Every model that is set up, in order of id. */
  models(): readonly ModelIdentity[]
  /**
   * Whether the orchestrator that announces models is reachable; while it is not, nothing is known about missing
   * models.
   */
  reachable(): boolean
  /** Why a model that cannot be called is not to blame for its absence; `null` if it is. */
  excuseOf(modelId: string): AbsenceExcuse | null
  /**
   * Makes the calls, in their order, on all connected models in parallel. Resolves when all models have answered or
   * `timeoutMs` of wall time has passed since the call. Calls of earlier dispatches to the same model come first; a
   * model that is still working has a bounded queue. One answer per call and model. No model delays another, but models that
   * failed last time or have not answered yet may be called after the others have answered, at most a twentieth of the
   * time limit later. The models whose ids are in `except` are left out.
   */
  dispatch(
    calls: readonly ModelCall[],
    timeoutMs: number,
    except?: ReadonlySet<string>,
  ): Promise<readonly ModelAnswers[]>
  /**
   * Why a model that cannot be called no longer takes part: it was removed, or is in quarantine. `null` for one that
   * may return by itself (it crashed, restarts or is being replaced), and if nothing is known.
   */
  retirementOf(modelId: string): string | null
  /**
   * Called at once for each model that is set up already, then whenever one is set up or is announced with other names;
   * the returned function ends it.
   */
  onModel(listener: (model: ModelIdentity) => void): () => void
  /**
   * Reports which answers were accepted: a model whose answers are all invalid is as useless as one whose calls fail.
   * Models that are no longer running are ignored.
   */
  judge(judgements: readonly Judgement[]): void
  close(): Promise<void>
}
