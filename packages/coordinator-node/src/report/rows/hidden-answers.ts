import type { Json } from '../../domain/json/json.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { ReportReads } from '../../ports/report-reads.ts'
import type { PredictionExport } from '../../ports/store-exports.ts'
import { maySeeAnswer, maySeeDiagnostics, type Viewer } from '../access/viewer.ts'
import { zonedTime } from './row-fields.ts'

/** What a viewer may see of predictions. */
export interface AnswerGate {
  answer(prediction: Pick<Prediction, 'status' | 'modelId'>): boolean
  /** Errors in words, which can contain the code of a model. */
  diagnostics(modelId: string): boolean
}

export async function answerGate(viewer: Viewer, reads: Pick<ReportReads, 'models'>): Promise<AnswerGate> {
  const models = viewer.role === 'participant' ? await reads.models() : []
  const owners = new Map(models.map(({ id, cruncherId }) => [id, cruncherId]))
  const ownerOf = (modelId: string) => ({ cruncherId: owners.get(modelId) ?? null })
  return {
    answer: ({ status, modelId }) => maySeeAnswer(viewer, { status, ...ownerOf(modelId) }, 'with truth'),
    diagnostics: (modelId) => maySeeDiagnostics(viewer, ownerOf(modelId)),
  }
}

/**
 * The answer and the truth of a prediction. Every route takes them from here: while the truth of its round is unknown, an answer
 * could be copied, so it is hidden.
 */
export function answerFields(
  { prediction, actuals }: Pick<PredictionExport, 'prediction' | 'actuals'>,
  gate: AnswerGate,
): { readonly output: Json; readonly truth: Json; readonly hidden_until: string | null } {
  const isHidden = !gate.answer(prediction)
  return {
    output: isHidden ? null : prediction.output,
    truth: actuals,
    hidden_until: isHidden ? zonedTime(prediction.resolvableAt) : null,
  }
}
