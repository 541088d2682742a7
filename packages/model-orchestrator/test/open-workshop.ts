import { type ConfinementSettings, createConfinement } from '../src/confinement.ts'
import { createFreePorts } from '../src/free-ports.ts'
import type { MemoryGroups } from '../src/memory-group.ts'
import { checkModelLimits, type ModelLimits } from '../src/model-limits.ts'
import type { ProcessGuard } from '../src/process-guard.ts'
import { startUsageWatch } from '../src/watch-usage.ts'
import { createWorkshop } from '../src/workshop.ts'
import { rememberingLog } from './workspace.ts'

/** A workshop as an orchestrator has one; close it at the end. */
export async function openWorkshop(
  guard: ProcessGuard,
  settings: ConfinementSettings,
  {
    diskMib,
    memory,
    ...limits
  }: Partial<ModelLimits> & { readonly diskMib?: number; readonly memory?: MemoryGroups | string } = {},
) {
  const checked = checkModelLimits(limits)
  const ports = createFreePorts('127.0.0.1')
  const limitsSegments = typeof memory === 'string'
  const confinement = await createConfinement({ settings, limits: checked, secret: [], limitsSegments, guard, ports })
  const usage = startUsageWatch(checked, rememberingLog(), memory === undefined ? {} : { memory })
  const given = diskMib === undefined ? {} : { diskMib }
  return { ...createWorkshop({ confinement, usage, guard, limits: checked, ...given }), close: () => usage.close() }
}
