import { CrunchError } from '../../../domain/errors.ts'
import type { Model } from '../../../domain/models/model.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { maySeeDiagnostics, type Viewer } from '../../access/viewer.ts'
import { knownModel } from './one-model.ts'

/** A model whose diagnostics the viewer may see. To others it is NOT_FOUND, like one that does not exist. */
export async function ownedModel(reads: Pick<ReportReads, 'models'>, viewer: Viewer, id: string): Promise<Model> {
  if (viewer.role === 'admin') return knownModel(reads, id)
  const model = (await reads.models()).find((one) => one.id === id)
  if (model !== undefined && maySeeDiagnostics(viewer, model)) return model
  throw new CrunchError('NOT_FOUND', `None of your models has the id ${id}. GET /reports/models lists all models.`)
}
