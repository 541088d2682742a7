import { z } from 'zod'
import type { ContractVersion } from '../../../domain/era.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'

/** A version of the contract's code. */
export const contractVersion = z
  .object({ version: z.number().int(), hash: z.string(), first_seen_at: zonedTimeSchema })
  .meta({ id: 'ContractVersion' })

export function versionRow({ number, hash, firstSeenAt }: ContractVersion): z.input<typeof contractVersion> {
  return { version: number, hash, first_seen_at: zonedTime(firstSeenAt) }
}
