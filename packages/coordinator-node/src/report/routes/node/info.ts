import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { contractVersion, versionRow } from './contract-version.ts'

export const info = defineRoute({
  method: 'get',
  path: '/info',
  tag: 'Node',
  summary: 'The identity of the node.',
  tier: 'public',
  extra: 'any',
  answer: z
    .object({
      crunch_id: z.string(),
      crunch_address: z.string().meta({ description: 'On chain; empty while the operator has not set it.' }),
      network: z.string().meta({ examples: ['devnet', 'mainnet-beta'] }),
      version: z.string(),
      era: z.object({ number: z.number().int(), began_at: zonedTimeSchema }),
      contract_version: contractVersion,
      now: zonedTimeSchema.meta({ description: "The competition's time: in a replay that of the newest record." }),
    })
    .meta({ id: 'Info' }),
  example: { path: '/info' },
})

export const serveInfo = serveRoute(info, (report) => async () => ({
  crunch_id: report.info.crunchId,
  crunch_address: report.info.crunchAddress,
  network: report.info.network,
  version: report.info.version,
  era: { number: report.info.era.number, began_at: zonedTime(report.info.era.beganAt) },
  contract_version: versionRow(report.info.contractVersion),
  now: zonedTime(await report.clock.refresh()),
}))
