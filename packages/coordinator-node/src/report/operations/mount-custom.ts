import type { TierRow } from '../access/tiers.ts'
import type { ReportApp } from '../http/mount-routes.ts'
import type { ReportContext } from '../report-context.ts'

/** Their code may read everything. On a node with keys, they need an organizer's key unless `API_PUBLIC_PREFIXES` opens them. */
export const customTiers: readonly TierRow[] = [{ method: '*', path: '/custom/*', tier: 'admin' }]

/** Serves the organizer's own routes under `/custom`, where no core route is. */
export function mountCustom(app: ReportApp, { custom }: ReportContext): void {
  if (custom === undefined) return
  app.use('/custom/*', (context, next) => {
    const set = context.set as (name: string, value: unknown) => void
    for (const [name, value] of Object.entries(custom.variables)) set(name, value)
    return next()
  })
  for (const one of custom.apps) app.route('/custom', one)
}
