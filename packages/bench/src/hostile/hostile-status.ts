import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const statusSchema = z.object({
  /** Memory of the orchestrator process alone. */
  peakMemoryMb: z.number(),
  models: z.array(
    z.object({
      id: z.string(),
      /** Wall time of the quarantine, in milliseconds; `null` if not in quarantine. */
      quarantinedAt: z.number().nullable(),
      /** `code: reason` of its last failure; empty without one. */
      failure: z.string(),
    }),
  ),
})

/** Status of the models, as the orchestrator process writes it. */
export type HostileStatus = z.output<typeof statusSchema>

/** Reads the latest status. Throws a zod error if it is invalid. */
export async function readHostileStatus(path: string): Promise<HostileStatus> {
  return statusSchema.parse(JSON.parse(await readFile(path, 'utf8')))
}
