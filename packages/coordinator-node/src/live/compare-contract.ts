import { contractStructure, type StructureDifference, structureDifferences } from '../contract/contract-structure.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import type { Competition, Era } from '../domain/era.ts'
import { CrunchError } from '../domain/errors.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { Schedule } from '../domain/round.ts'
import { formatDuration, formatInstant } from '../domain/time.ts'

/** What a database holds of the contracts that it was used with. */
export interface StoredContract {
  readonly competition: Competition | null
  readonly eras: readonly Era[]
  /** Of a database from before eras were kept, its rows tell a part of the contract. */
  readonly openedRounds: number
  readonly schedules: readonly Schedule[]
  readonly leaderboard: Pick<Leaderboard, 'rankBy' | 'direction' | 'entries'> | null
}

/** Throws OTHER_COMPETITION or CONTRACT_CHANGED when a node must not work on a database with this contract. */
export function requireSameContract(contract: AnyContract, crunchId: string, stored: StoredContract): void {
  if (stored.competition !== null) requireSameCompetition({ crunchId, name: contract.name }, stored.competition)
  const structure = contractStructure(contract)
  const current = stored.eras.at(-1)
  if (current !== undefined) requireSameStructure(structure, current)
  else if (stored.openedRounds > 0) requireSameRows(structure, stored)
}

export function requireSameCompetition(own: Competition, stored: Competition): void {
  if (own.crunchId === stored.crunchId && own.name === stored.name) return
  throw new CrunchError(
    'OTHER_COMPETITION',
    `this database belongs to the competition "${stored.name}" (CRUNCH_ID ${stored.crunchId}), and this node is of ` +
      `"${own.name}" (CRUNCH_ID ${own.crunchId}): correct the name or CRUNCH_ID, or use another database`,
  )
}

export function requireSameStructure(structure: JsonObject, era: Era): void {
  const differences = structureDifferences(era.structure, structure)
  if (differences.length === 0) return
  throw new CrunchError(
    'CONTRACT_CHANGED',
    [
      `the contract is not the one of era ${era.number} in the database:`,
      ...differences.map((difference) => `  ${describe(difference, `since ${formatInstant(era.beganAt)}`)}`),
      'Undo the change, use another database, or confirm a new era: crunch deploy --new-era',
    ].join('\n'),
  )
}

/** Of a database without eras, what its rows say of their contract. */
function requireSameRows(structure: JsonObject, { schedules, leaderboard }: StoredContract): void {
  const stored: Record<string, JsonObject> = { prediction: { schedule: scheduleRows(schedules) } }
  const own: Record<string, JsonObject> = { prediction: { schedule: scheduleOf(structure) } }
  if (leaderboard !== null) {
    const { rankBy, direction } = leaderboard
    stored.leaderboard = { rankBy, direction }
    const group = structure.leaderboard as JsonObject
    own.leaderboard = { rankBy: group.rankBy ?? null, direction: group.direction ?? null }
  }
  const differences = structureDifferences(stored, own)
  if (differences.length === 0) return
  throw new CrunchError(
    'CONTRACT_CHANGED',
    [
      'the contract is not the one that this database was used with:',
      ...differences.map((difference) => `  ${describe(difference, '(by its rows)')}`),
      'Undo the change and start once, so that the database knows its contract; then confirm a new era: ' +
        'crunch deploy --new-era. Or use another database',
    ].join('\n'),
  )
}

function scheduleRows(schedules: readonly Schedule[]): JsonObject {
  return Object.fromEntries(
    schedules.map(({ key, scope, everyMs, horizonMs, stepMs, on }) => [
      key,
      {
        subject: scope.subject,
        every: formatDuration(everyMs),
        horizon: formatDuration(horizonMs),
        step: formatDuration(stepMs),
        ...(on === 'record' ? {} : { on }),
      },
    ]),
  )
}

function scheduleOf(structure: JsonObject): JsonObject {
  return ((structure.prediction as JsonObject).schedule ?? {}) as JsonObject
}

/** `leaderboard.direction: "desc" in the database since 2026-03-01T10:00:00.000Z, "asc" in the contract` */
function describe({ path, stored, current }: StructureDifference, since: string): string {
  const say = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value))
  return `${path}: ${say(stored)} in the database ${since}, ${say(current)} in the contract`
}
