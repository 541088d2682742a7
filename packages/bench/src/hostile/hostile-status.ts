import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const statusSchema = z.object({
  /** Of the orchestrator alone. */
  peakMemoryMb: z.number(),
  models: z.array(
    z.object({
      id: z.string(),
      /** Wall time in milliseconds; `null` while it is not in quarantine. */
      quarantinedAt: z.number().nullable(),
      /** `code: reason` of its last failure; empty without one. */
      failure: z.string(),
    }),
  ),
})

/** What the orchestrator's process tells of its models. */
export type HostileStatus = z.output<typeof statusSchema>

/** Reads what was told last. Throws zod's findings for anything else. */
export async function readHostileStatus(path: string): Promise<HostileStatus> {
  return statusSchema.parse(JSON.parse(await readFile(path, 'utf8')))
}
