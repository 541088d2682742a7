import type { ReportReads } from '../../ports/reads/report-reads.ts'
import { isEnsemble } from './row-fields.ts'

interface ModelQuery {
  readonly projectIds: readonly string[]
  readonly include_ensembles: boolean
}

/**
 * The model ids to read rows of: the requested ones, else all models except ensembles, which are hidden unless requested. An
 * empty list means all, as in the port; `null` means that there is nothing to read.
 */
export async function visibleModelIds(reads: ReportReads, query: ModelQuery): Promise<readonly string[] | null> {
  if (query.projectIds.length > 0 || query.include_ensembles) return query.projectIds
  const models = await reads.models()
  const visible = models.filter((model) => !isEnsemble(model.id))
  if (visible.length === models.length) return []
  return visible.length === 0 ? null : visible.map((model) => model.id)
}
