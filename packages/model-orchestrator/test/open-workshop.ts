import { type Confinement, type ConfinementSettings, createConfinement } from '../src/confine/confinement.ts'
import { createFreePorts } from '../src/confine/free-ports.ts'
import { openLimitGroups } from '../src/limit/limit-groups.ts'
import { checkModelLimits, type ModelLimits } from '../src/limit/model-limits.ts'
import { startUsageWatch, type UsageWatchOptions } from '../src/limit/watch-usage.ts'
import { createWorkshop } from '../src/prepare/workshop.ts'
import type { ProcessGuard } from '../src/process/process-guard.ts'
import { rememberingLog } from './workspace.ts'

/** Differences to the workshop of an orchestrator. */
export interface OpenWorkshopOptions extends Partial<ModelLimits>, Pick<UsageWatchOptions, 'groups' | 'table'> {
  readonly diskMib?: number
  readonly files?: number
}

/** A workshop like that of an orchestrator; close it at the end. */
export async function openWorkshop(guard: ProcessGuard, settings: ConfinementSettings) {
  return openWorkshopIn(await openConfinement(guard, settings), guard)
}

/** The confinement of such a workshop. Opening it takes long, because it probes the machine; several workshops may share it. */
export function openConfinement(guard: ProcessGuard, settings: ConfinementSettings): Promise<Confinement> {
  const limitsSegments = openLimitGroups().problems.memory !== null
  const ports = createFreePorts('127.0.0.1')
  return createConfinement({ settings, limits: checkModelLimits(), secret: [], limitsSegments, guard, ports })
}

/** A workshop with this confinement; close it at the end. */
export function openWorkshopIn(
  confinement: Confinement,
  guard: ProcessGuard,
  { diskMib, files, groups = openLimitGroups(), table, ...limits }: OpenWorkshopOptions = {},
) {
  const checked = checkModelLimits(limits)
  const usage = startUsageWatch(checked, rememberingLog(), { groups, ...(table === undefined ? {} : { table }) })
  const given = { ...(diskMib === undefined ? {} : { diskMib }), ...(files === undefined ? {} : { files }) }
  return { ...createWorkshop({ confinement, usage, guard, limits: checked, ...given }), close: () => usage.close() }
}
