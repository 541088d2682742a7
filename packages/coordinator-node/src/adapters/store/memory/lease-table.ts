import { type Lease, type LeaseState, predictLease } from '../../../ports/store-workers.ts'
import { lostLease } from '../lost-lease.ts'

interface LeaseRow extends Omit<LeaseState, 'silentMs'> {
  /** Number of times that the lease has changed its holder. */
  readonly generation: number
}

/** Leases among the stores of one process. They cannot be lost, and their holder is never silent. */
export function createLeaseTable() {
  const rows = new Map<string, LeaseRow>()
  return {
    /** The leases from the view of one store. */
    open() {
      const generations = new Map<string, number>()
      function release(name: string): void {
        const row = rows.get(name)
        if (row === undefined || row.holder === null || row.generation !== generations.get(name)) return
        rows.set(name, { ...row, holder: null, heartbeatAt: Date.now() })
      }
      return {
        take(name: string): Lease | null {
          const last = rows.get(name)
          if (last !== undefined && last.holder !== null) return null
          const generation = (last?.generation ?? 0) + 1
          rows.set(name, { holder: 'this process', takenAt: Date.now(), heartbeatAt: Date.now(), generation })
          generations.set(name, generation)
          return {
            lost: new Promise<string>(() => undefined),
            takenFrom: null,
            release: async () => {
              if (generations.get(name) === generation) release(name)
            },
          }
        },
        state(name: string): LeaseState | null {
          const row = rows.get(name)
          if (row === undefined) return null
          const { generation: _, ...state } = row
          return { ...state, silentMs: row.holder === null ? Math.max(0, Date.now() - row.heartbeatAt) : 0 }
        },
        requireHolder(): void {
          const generation = generations.get(predictLease)
          if (generation !== undefined && generation !== rows.get(predictLease)?.generation) throw lostLease()
        },
        end(): void {
          for (const name of generations.keys()) release(name)
        },
      }
    },
  }
}
