import { type Competition, type ContractVersion, type Era, earliestEnd } from '../../../domain/era.ts'
import type { Instant } from '../../../domain/time.ts'
import type { EnteredEra, EraEntry, NextEra } from '../../../ports/store-eras.ts'
import { eraEnded } from '../era-ended.ts'

export interface EraTable {
  enter(entry: EraEntry): EnteredEra
  /** @param earliestAt the earliest possible start of the new era */
  begin(next: NextEra, earliestAt: Instant): Era | null
  /** Throws ERA_ENDED unless rounds of this era may be opened. */
  requireCurrent(number: number): void
  /** Throws ERA_ENDED when a period of this era ends after the era. */
  requireWithin(number: number, periodEnd: Instant): void
  competition(): Competition | null
  eras(): readonly Era[]
  versions(): readonly ContractVersion[]
}

export function createEraTable(): EraTable {
  const eras: Era[] = []
  const versions: ContractVersion[] = []
  let competition: Competition | null = null

  function enter(entry: EraEntry): EnteredEra {
    const { structure, fingerprint, formerFingerprint, codeHash: hash, at } = entry
    const stored = competition
    if (stored !== null && (stored.crunchId !== entry.competition.crunchId || stored.name !== entry.competition.name)) {
      return { kind: 'other-competition', competition: stored }
    }
    const current = eras.at(-1)
    if (current !== undefined && ![fingerprint, formerFingerprint].includes(current.fingerprint)) {
      return { kind: 'changed', era: current }
    }
    competition ??= entry.competition
    const isFirstEra = current === undefined
    const entered: Era = { number: 1, beganAt: at, ...current, structure, fingerprint }
    const era = current?.fingerprint === fingerprint ? current : entered
    eras.splice(era.number - 1, 1, era)
    const known = versions.find((version) => version.era === era.number && version.hash === hash)
    const version = known ?? { number: versions.length + 1, hash, era: era.number, firstSeenAt: at }
    if (known === undefined) versions.push(version)
    return { kind: 'entered', era, version, isFirstEra, isNewVersion: known === undefined }
  }

  return {
    enter,
    begin({ after, structure, fingerprint, at }, earliestAt) {
      const current = eras.at(-1)
      if (current === undefined || current.number !== after) return null
      const beganAt = Math.max(at, earliestAt, earliestEnd(current))
      const era = { number: after + 1, structure, fingerprint, beganAt }
      eras.push(era)
      return era
    },
    requireCurrent(number) {
      const current = eras.at(-1)?.number ?? 1
      if (current !== number) throw eraEnded(number)
    },
    requireWithin(number, periodEnd) {
      const next = eras.find((era) => era.number === number + 1)
      const isKnown = number <= (eras.at(-1)?.number ?? 1)
      if (!isKnown || (next !== undefined && periodEnd > next.beganAt)) throw eraEnded(number)
    },
    competition: () => competition,
    eras: () => [...eras],
    versions: () => [...versions],
  }
}
