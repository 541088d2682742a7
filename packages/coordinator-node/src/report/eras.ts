import type { Hono } from 'hono'
import type { ContractVersion } from '../domain/era.ts'
import { jsonResponse } from './json-response.ts'
import { refuseUnknown } from './query-fields.ts'
import type { ReportContext } from './report-context.ts'
import { zonedTime } from './row-fields.ts'

/** Every era of the competition, oldest first, each with the versions of the contract's code that ran in it. */
export function addErasRoute(app: Hono, { reads }: ReportContext): void {
  app.get('/reports/eras', async (context) => {
    refuseUnknown(context, [])
    const [eras, versions] = await Promise.all([reads.eras(), reads.contractVersions()])
    return jsonResponse(
      context,
      eras.map(({ number, fingerprint, beganAt }, index) => {
        const next = eras[index + 1]
        return {
          era: number,
          fingerprint,
          began_at: zonedTime(beganAt),
          ended_at: next === undefined ? null : zonedTime(next.beganAt),
          contract_versions: versions.filter(({ era }) => era === number).map(versionRow),
        }
      }),
    )
  })
}

export function versionRow({ number, hash, firstSeenAt }: ContractVersion) {
  return { version: number, hash, first_seen_at: zonedTime(firstSeenAt) }
}
