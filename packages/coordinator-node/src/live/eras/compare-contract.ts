import {
  contractStructure,
  eraDifferences,
  type StructureDifference,
  structureDifferences,
} from '../../contract/contract-structure.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import type { Finding } from '../../contract/finding.ts'
import type { Competition, Era } from '../../domain/era.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { JsonObject } from '../../domain/json/json.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import type { Schedule } from '../../domain/round.ts'
import { formatDuration, formatInstant } from '../../domain/time.ts'

/** What a database stores about the contracts it was used with. */
export interface StoredContract {
  readonly competition: Competition | null
  readonly eras: readonly Era[]
  /** In a database older than eras: the parts of the contract that its rows reveal. */
  readonly openedRounds: number
  readonly schedules: readonly Schedule[]
  readonly leaderboard: Pick<Leaderboard, 'rankBy' | 'direction' | 'entries'> | null
}

/** The contract of a node, with the settings that the database also stores. */
export interface NodeContract {
  readonly contract: AnyContract
  /** CRUNCH_ID. */
  readonly crunchId: string
  /** ORGANIZER_CRUNCHER_ID. */
  readonly organizerId: string
}

/** Throws OTHER_COMPETITION or CONTRACT_CHANGED when a node must not use a database with this contract. */
export function requireSameContract({ contract, crunchId, organizerId }: NodeContract, stored: StoredContract): void {
  if (stored.competition !== null) requireSameCompetition({ crunchId, name: contract.name }, stored.competition)
  const structure = contractStructure(contract, organizerId)
  const current = stored.eras.at(-1)
  if (current !== undefined) requireSameStructure(structure, current)
  else requireSameRows(structure, stored)
}

/** Each difference for which a node would refuse to start, with both sides. */
export function contractFindings(
  { contract, crunchId, organizerId }: NodeContract,
  stored: StoredContract,
): readonly Finding[] {
  const own = { crunchId, name: contract.name }
  if (stored.competition !== null && !isSameCompetition(own, stored.competition)) {
    const cause = describeCompetitions(own, stored.competition)
    return [{ path: 'name or CRUNCH_ID', cause, fix: otherCompetitionFix }]
  }
  const structure = contractStructure(contract, organizerId)
  const current = stored.eras.at(-1)
  if (current !== undefined) {
    return eraDifferences(current.structure, structure).map((difference) => ({
      path: placeOf(difference),
      cause: describeSides(difference, sinceBeginning(current)),
      fix: changedFix,
    }))
  }
  return rowDifferences(structure, stored).map((difference) => ({
    path: placeOf(difference),
    cause: describeSides(difference, byRows),
    fix: changedRowsFix,
  }))
}

const otherCompetitionFix = 'correct the name or CRUNCH_ID, or use another database'
const changedFix = 'undo the change, use another database, or confirm a new era: crunch deploy --new-era'
const changedRowsFix =
  'undo the change and start once, so that the database knows its contract; then confirm a new era: ' +
  'crunch deploy --new-era. Or use another database'

const byRows = '(by its rows)'
const sinceBeginning = ({ beganAt }: Era) => `since ${formatInstant(beganAt)}`

export function requireSameCompetition(own: Competition, stored: Competition): void {
  if (isSameCompetition(own, stored)) return
  throw new CrunchError('OTHER_COMPETITION', `${describeCompetitions(own, stored)}: ${otherCompetitionFix}`)
}

function isSameCompetition(own: Competition, stored: Competition): boolean {
  return own.crunchId === stored.crunchId && own.name === stored.name
}

function describeCompetitions(own: Competition, stored: Competition): string {
  return (
    `this database belongs to the competition "${stored.name}" (CRUNCH_ID ${stored.crunchId}), but this node runs ` +
    `"${own.name}" (CRUNCH_ID ${own.crunchId})`
  )
}

export function requireSameStructure(structure: JsonObject, era: Era): void {
  refuse(eraDifferences(era.structure, structure), {
    what: `the contract differs from that of era ${era.number} in the database:`,
    since: sinceBeginning(era),
    fix: changedFix,
  })
}

function requireSameRows(structure: JsonObject, stored: StoredContract): void {
  refuse(rowDifferences(structure, stored), {
    what: 'the contract differs from the one that this database was used with:',
    since: byRows,
    fix: changedRowsFix,
  })
}

function refuse(
  differences: readonly StructureDifference[],
  { what, since, fix }: { readonly what: string; readonly since: string; readonly fix: string },
): void {
  if (differences.length === 0) return
  const lines = differences.map((difference) => `  ${placeOf(difference)}: ${describeSides(difference, since)}`)
  throw new CrunchError('CONTRACT_CHANGED', [what, ...lines, `To continue, ${fix}`].join('\n'))
}

/** For a database without eras: differences between its rows and the contract. */
function rowDifferences(
  structure: JsonObject,
  { openedRounds, schedules, leaderboard }: StoredContract,
): readonly StructureDifference[] {
  if (openedRounds === 0) return []
  const stored: Record<string, JsonObject> = { prediction: { schedule: scheduleRows(schedules) } }
  const own: Record<string, JsonObject> = { prediction: { schedule: scheduleOf(structure) } }
  if (leaderboard !== null) {
    const { rankBy, direction } = leaderboard
    stored.leaderboard = { rankBy, direction }
    const group = structure.leaderboard as JsonObject
    own.leaderboard = { rankBy: group.rankBy ?? null, direction: group.direction ?? null }
  }
  return structureDifferences(stored, own)
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

/** `"desc" in the database since 2026-03-01T10:00:00.000Z, "asc" in the contract` */
function describeSides(difference: StructureDifference, since: string): string {
  const say = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value))
  const own = isOrganizer(difference) ? 'in the settings' : 'in the contract'
  return `${say(difference.stored)} in the database ${since}, ${say(difference.current)} ${own}`
}

/** Place of a difference: the contract option or the setting. */
function placeOf(difference: StructureDifference): string {
  return isOrganizer(difference) ? 'ORGANIZER_CRUNCHER_ID' : difference.path
}

const isOrganizer = ({ path }: StructureDifference) => path === 'organizer'
