import type { Json } from '../../domain/json/json.ts'
import type { ReportReads } from '../../ports/report-reads.ts'
import type { PredictionExport } from '../../ports/store-exports.ts'
import type { Viewer } from '../access/viewer.ts'
import { zonedTime } from './row-fields.ts'

/** Whether someone may see what a model alone knows, such as its answers to rounds without a truth. */
export type AnswerGate = (modelId: string) => boolean

/** Admins may see those of all models, participants those of their own. */
export async function answerGate(viewer: Viewer, reads: Pick<ReportReads, 'models'>): Promise<AnswerGate> {
  if (viewer.role !== 'participant') return () => viewer.role === 'admin'
  const models = await reads.models()
  const own = new Set(models.filter(({ cruncherId }) => cruncherId === viewer.cruncherId).map(({ id }) => id))
  return (modelId) => own.has(modelId)
}

/**
 * The answer and the truth of a prediction. Every route takes them from here: while the truth of its round is unknown, an answer
 * could be copied, so it is hidden.
 */
export function answerFields(
  { prediction, actuals }: Pick<PredictionExport, 'prediction' | 'actuals'>,
  maySee: AnswerGate,
): { readonly output: Json; readonly truth: Json; readonly hidden_until: string | null } {
  const isHidden = prediction.status === 'PENDING' && !maySee(prediction.modelId)
  return {
    output: isHidden ? null : prediction.output,
    truth: actuals,
    hidden_until: isHidden ? zonedTime(prediction.resolvableAt) : null,
  }
}
