import { setTimeout } from 'node:timers/promises'
import { until } from '../until.ts'
import type { Fault } from './fault-plan.ts'
import { injectFault } from './inject.ts'
import type { LiveNode } from './live-node.ts'

/** An injected fault. */
export interface Happened extends Fault {
  /** Unix milliseconds. */
  readonly startedAt: number
  /** Milliseconds since the first fault. */
  readonly at: number
  readonly detail: string | undefined
  /** Time from its end until a round was opened and answered; `null` if the next fault started before. */
  recoveryMs: number | null
}

const recoveryLimitMs = 90_000
const overlapMs = 1_500

/** Injects faults one after the other, each after the node has recovered from earlier ones, except overlapping faults. */
export async function runFaults(
  live: LiveNode,
  plan: readonly Fault[],
  random: () => number,
  log: (line: string) => void,
): Promise<readonly Happened[]> {
  const firstAt = Date.now()
  const happened: Happened[] = []
  let ends: Promise<void>[] = []
  try {
    for (const [index, fault] of plan.entries()) {
      const startedAt = Date.now()
      const { detail, end } = await injectFault(live, fault, random)
      const entry: Happened = { ...fault, startedAt, at: startedAt - firstAt, detail, recoveryMs: null }
      happened.push(entry)
      log(describeFault(entry))
      ends.push(setTimeout(fault.lengthMs).then(end))
      if (plan[index + 1]?.overlaps === true) {
        await setTimeout(random() * overlapMs)
        continue
      }
      await Promise.all(ends)
      ends = []
      entry.recoveryMs = await recover(live)
    }
  } catch (error) {
    await Promise.allSettled(ends)
    throw new Error(`the fault loop stopped: ${error}\n${happened.map(describeFault).join('\n')}`, { cause: error })
  }
  return happened
}

export function describeFault({ at, kind, target, lengthMs, overlaps, detail, recoveryMs }: Happened): string {
  return [
    `${(at / 1_000).toFixed(1).padStart(7)} s  ${kind} ${target}`,
    lengthMs > 0 ? ` for ${(lengthMs / 1_000).toFixed(1)} s` : '',
    overlaps ? ', overlapping' : '',
    detail === undefined ? ', which met nothing' : ` (${detail})`,
    recoveryMs === null ? '' : `, recovered in ${(recoveryMs / 1_000).toFixed(1)} s`,
  ].join('')
}

/** Waits until a round opened from now on has a valid answer. */
async function recover({ sql }: LiveNode): Promise<number> {
  const startedAt = Date.now()
  await until('a round with valid answers after the fault', recoveryLimitMs, async () => {
    const rows = await sql`
      select 1 from predictions where performed_at > ${startedAt} and status in ('PENDING', 'SCORED') limit 1`.catch(
      () => [],
    )
    return rows.length > 0
  })
  return Date.now() - startedAt
}
