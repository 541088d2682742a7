import { contractStructure, eraDifferences, structureFingerprint } from '../../contract/contract-structure.ts'
import { endedContract } from '../../contract/ended-contract.ts'
import { type Era, eraSpan } from '../../domain/era.ts'
import { CrunchError } from '../../domain/errors.ts'
import { answerAbandonedRounds } from '../../stages/prediction/answer-abandoned-rounds.ts'
import { requireSameCompetition } from './compare-contract.ts'
import { closeEndedEras, type EraPorts, enterEra, isClosed, readStoredContract } from './enter-era.ts'

export type NewEra =
  /** The contract's structure equals that of the current era. */
  | { readonly kind: 'unchanged'; readonly era: Era | null }
  | { readonly kind: 'begun'; readonly era: Era; readonly voidRoundCount: number; readonly changes: readonly string[] }

/**
 * Confirms a changed contract: ends the current era, makes its open rounds void, closes its last period and checkpoint by its
 * own rules, and begins the next era. Does nothing if the structure is unchanged, so it can be repeated after a crash.
 * Throws LEASE_HELD while a node works on the database.
 */
export async function beginNewEra(ports: EraPorts): Promise<NewEra> {
  const { contract, settings, store, clock } = ports
  const stored = await readStoredContract(store)
  const competition = { crunchId: settings.CRUNCH_ID, name: contract.name }
  if (stored.competition !== null) requireSameCompetition(competition, stored.competition)
  const current = stored.eras.at(-1)
  const structure = contractStructure(contract, settings.ORGANIZER_CRUNCHER_ID)
  const fingerprint = structureFingerprint(structure)
  if (current === undefined || eraDifferences(current.structure, structure).length === 0) {
    // A database without eras is compared by its rows; a killed run may have left periods to close.
    await enterEra(ports)
    return { kind: 'unchanged', era: (await store.eras()).at(-1) ?? null }
  }
  // If the ended era could not be paid by its own rules, refuse before anything is written.
  if (!(await isClosed(store, eraSpan(stored.eras, current, 0)))) endedContract(contract, current.structure)
  const lease = await store.takeLease('predict')
  if (lease === null) {
    throw new CrunchError(
      'LEASE_HELD',
      'a node is using this database: stop it with crunch down, then confirm the new era',
    )
  }
  try {
    await closeEndedEras(ports)
    await clock.refresh()
    const models = await store.models()
    await answerAbandonedRounds(ports, { models: () => models })
    const begun = await store.beginEra({ after: current.number, structure, fingerprint, at: clock.now() })
    if (begun === null) return { kind: 'unchanged', era: (await store.eras()).at(-1) ?? null }
    await closeEndedEras(ports)
    const changes = eraDifferences(current.structure, structure).map(({ path }) => path)
    return { kind: 'begun', ...begun, changes }
  } finally {
    await lease.release()
  }
}
