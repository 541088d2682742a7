import type { Json } from '../../domain/json/json.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'
import type { PredictionExport } from '../../ports/store-exports.ts'
import { maySeeAnswer, maySeeDiagnostics, type Viewer } from '../access/viewer.ts'
import type { ReportContract } from '../report-context.ts'
import { zonedTime } from './row-fields.ts'

/** What one viewer may see of the models' rows. */
export interface AnswerGate {
  seesAnswer(prediction: Pick<Prediction, 'modelId' | 'status'>): boolean
  /** Errors in words. */
  seesDiagnostics(modelId: string): boolean
}

export async function answerGate(
  viewer: Viewer,
  reads: Pick<ReportReads, 'models'>,
  { reveal }: Pick<ReportContract, 'reveal'>,
): Promise<AnswerGate> {
  // Only a participant's rights depend on the owner.
  const models = viewer.role === 'participant' ? await reads.models() : []
  const owners = new Map(models.map(({ id, cruncherId }) => [id, cruncherId]))
  const ownerOf = (modelId: string) => ({ cruncherId: owners.get(modelId) ?? null })
  return {
    seesAnswer: ({ modelId, status }) => maySeeAnswer(viewer, { ...ownerOf(modelId), status }, reveal),
    seesDiagnostics: (modelId) => maySeeDiagnostics(viewer, ownerOf(modelId)),
  }
}

/**
 * The answer and the truth of a prediction. Every route takes them from here: while the truth of its round is unknown, an answer
 * could be copied, so it is hidden unless the contract reveals answers at once.
 */
export function answerFields(
  { prediction, actuals }: Pick<PredictionExport, 'prediction' | 'actuals'>,
  gate: AnswerGate,
): { readonly output: Json; readonly truth: Json; readonly hidden_until: string | null } {
  const isHidden = !gate.seesAnswer(prediction)
  return {
    output: isHidden ? null : prediction.output,
    truth: actuals,
    hidden_until: isHidden ? zonedTime(prediction.resolvableAt) : null,
  }
}
