import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { contractVersion, versionRow } from './contract-version.ts'

export const eras = defineRoute({
  method: 'get',
  path: '/reports/eras',
  tag: 'Node',
  summary: "Every era of the competition, oldest first, each with the versions of the contract's code that ran in it.",
  tier: 'public',
  extra: 'charts',
  answer: z.array(
    z
      .object({
        era: z.number().int(),
        fingerprint: z.string().meta({ description: "SHA-256 of the contract's structure." }),
        began_at: zonedTimeSchema,
        ended_at: zonedTimeSchema.nullable(),
        contract_versions: z.array(contractVersion),
      })
      .meta({ id: 'Era' }),
  ),
  example: { path: '/reports/eras' },
})

export const serveEras = serveRoute(eras, ({ reads }) => async () => {
  const [all, versions] = await Promise.all([reads.eras(), reads.contractVersions()])
  return all.map(({ number, fingerprint, beganAt }, index) => {
    const next = all[index + 1]
    return {
      era: number,
      fingerprint,
      began_at: zonedTime(beganAt),
      ended_at: next === undefined ? null : zonedTime(next.beganAt),
      contract_versions: versions.filter(({ era }) => era === number).map(versionRow),
    }
  })
})
