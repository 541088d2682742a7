import { wallClock } from '../../adapters/clock/clocks.ts'
import {
  contractStructure,
  storedOrganizer,
  structureFingerprint,
  withoutOrganizer,
} from '../../contract/contract-structure.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import { endedContract } from '../../contract/ended-contract.ts'
import { type EraSpan, eraSpan } from '../../domain/era.ts'
import { formatInstant } from '../../domain/time.ts'
import { createPipeline } from '../../pipeline.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'
import type { Store } from '../../ports/store.ts'
import { payeesOf } from '../payees.ts'
import type { Settings } from '../settings.ts'
import {
  requireSameCompetition,
  requireSameContract,
  requireSameStructure,
  type StoredContract,
} from './compare-contract.ts'

export interface EraPorts {
  readonly contract: AnyContract
  readonly settings: Settings
  /** The hash of the contract's code. */
  readonly codeHash: string
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

/**
 * Enters the era of a node's contract, before anything else is written. The first contract determines the competition of a
 * database. First closes what ended eras have left open, e.g. because a node was killed.
 * Throws OTHER_COMPETITION or CONTRACT_CHANGED with both sides, without having written anything.
 */
export async function enterEra(ports: EraPorts): Promise<EraSpan> {
  const { contract, settings, codeHash, store, log } = ports
  const own = { contract, crunchId: settings.CRUNCH_ID, organizerId: settings.ORGANIZER_CRUNCHER_ID }
  requireSameContract(own, await readStoredContract(store))
  const competition = { crunchId: settings.CRUNCH_ID, name: contract.name }
  const structure = contractStructure(contract, own.organizerId)
  const fingerprint = structureFingerprint(structure)
  const formerFingerprint = structureFingerprint(withoutOrganizer(structure))
  const at = wallClock.now()
  const entered = await store.enterEra({ competition, structure, fingerprint, formerFingerprint, codeHash, at })
  if (entered.kind !== 'entered') {
    // Another process has stored its contract in the meantime.
    if (entered.kind === 'other-competition') requireSameCompetition(competition, entered.competition)
    else requireSameStructure(structure, entered.era)
    throw new Error(`the store refused the contract without a difference: ${entered.kind}`)
  }
  const { era, version } = entered
  if (entered.isFirstEra)
    log.info('this contract is the first era of the database', { event: 'era', era: era.number, fingerprint })
  if (entered.isNewVersion) {
    log.info('a version of the code of the contract was recorded', {
      event: 'contract-version',
      version: version.number,
      hash: version.hash,
    })
  }
  await closeEndedEras(ports)
  return eraSpan([era], era, version.number)
}

/** Closes the last period and the last checkpoint of every era that has ended, by the rules of that era. */
export async function closeEndedEras({ contract, settings, store, clock, log }: EraPorts): Promise<void> {
  const eras = await store.eras()
  for (const era of eras.slice(0, -1)) {
    const span = eraSpan(eras, era, 0)
    if (await isClosed(store, span)) continue
    // An era from before the organizer was stored is closed with the current setting.
    const organizerCruncherId = storedOrganizer(era.structure) ?? settings.ORGANIZER_CRUNCHER_ID
    const options = { era: span, payees: payeesOf(settings), organizerCruncherId }
    const pipeline = createPipeline(endedContract(contract, era.structure), { store, clock, log }, options)
    const closed = await pipeline.closeEra()
    log.info('an era that has ended was closed', {
      event: 'era-closed',
      era: era.number,
      endedAt: formatInstant(span.endedAt ?? 0),
      ...closed,
    })
  }
}

/** Whether all rounds of an era are in a checkpoint. */
export async function isClosed(store: Store, { beganAt, endedAt }: EraSpan): Promise<boolean> {
  const paidThrough = Math.max(beganAt, (await store.lastCheckpointEnd()) ?? 0)
  const first = await store.firstResolvableAt(paidThrough)
  return first === null || first >= (endedAt ?? Number.POSITIVE_INFINITY)
}

export async function readStoredContract(
  store: Pick<ReportReads, 'competition' | 'eras' | 'roundCounts' | 'schedules' | 'latestLeaderboard'>,
): Promise<StoredContract> {
  const [competition, eras, counts, schedules, leaderboard] = await Promise.all([
    store.competition(),
    store.eras(),
    store.roundCounts(),
    store.schedules(),
    store.latestLeaderboard(),
  ])
  return { competition, eras, openedRounds: counts.openedCount, schedules, leaderboard }
}
