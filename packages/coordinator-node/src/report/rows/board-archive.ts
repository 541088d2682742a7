import { percentile } from '../../domain/statistics/percentile.ts'
import type { Instant } from '../../domain/time.ts'
import type { BoardRanking } from '../../ports/reads/page-reads.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'
import { isEnsemble } from './row-fields.ts'

/** Of all boards: 16 bytes each. */
const maxPlaces = 1_000_000
/** So that a long series keeps neither the database nor other requests waiting: a thousand models take about 100 kB a board. */
const boardsPerRead = 25
/** In place of a rank. */
const absent = -1

/** The ranks of a closed board, in typed arrays: a month of objects for a thousand models would take gigabytes. */
export interface KeptBoard {
  readonly asOf: Instant
  readonly era: number
  readonly rankBy: string
  /** Places that it takes in memory. */
  readonly size: number
  /** In display order. */
  modelIds(): readonly string[]
  /** The 5, 25, 50, 75 and 95 % quantiles of the values, ensembles left out; `null` without a value. */
  readonly quantiles: readonly number[] | null
  /** `undefined`: the model is not on the board. */
  placeOf(modelId: string): { readonly rank: number | null; readonly value: number | null } | undefined
}

export interface BoardArchive {
  /** The boards with these `asOf`, oldest first. Each is read from the store once, since a closed board never changes. */
  at(ends: readonly Instant[]): Promise<readonly KeptBoard[]>
}

const archives = new WeakMap<object, BoardArchive>()

/** The archive of a store, which all routes share. */
export function boardArchive(reads: Pick<ReportReads, 'rankingsAt'>): BoardArchive {
  const known = archives.get(reads) ?? createBoardArchive(reads)
  archives.set(reads, known)
  return known
}

/** @param limit places kept; the boards that were asked for the longest ago are dropped first */
export function createBoardArchive(reads: Pick<ReportReads, 'rankingsAt'>, limit = maxPlaces): BoardArchive {
  const boards = new Map<Instant, KeptBoard>()
  const columns = createColumns()
  let turn: Promise<unknown> = Promise.resolve()

  async function read(ends: readonly Instant[]): Promise<readonly KeptBoard[]> {
    const missing = ends.filter((end) => !boards.has(end))
    const found = missing.length === 0 ? [] : await reads.rankingsAt(missing)
    for (const ranking of found) boards.set(ranking.asOf, columns.keep(ranking))
    const asked = ends.flatMap((end) => boards.get(end) ?? [])
    // The newest use last.
    for (const board of asked) {
      boards.delete(board.asOf)
      boards.set(board.asOf, board)
    }
    drop(boards, limit)
    return asked
  }

  return {
    async at(ends) {
      const wanted = [...new Set(ends)]
      const found: KeptBoard[] = []
      for (let first = 0; first < wanted.length; first += boardsPerRead) {
        const part = wanted.slice(first, first + boardsPerRead)
        // One after the other, so that equal requests at the same time read once.
        const result = turn.then(() => read(part))
        turn = result.catch(() => undefined)
        found.push(...(await result))
      }
      return found.sort((one, other) => one.asOf - other.asOf)
    },
  }
}

function drop(boards: Map<Instant, KeptBoard>, limit: number): void {
  let places = 0
  for (const { size } of boards.values()) places += size
  for (const [end, { size }] of boards) {
    if (places <= limit) return
    places -= size
    boards.delete(end)
  }
}

/** Numbers the models of all boards, so that a board needs no ids and no separate index. */
function createColumns() {
  const ids: string[] = []
  const numbers = new Map<string, number>()
  function numberOf(modelId: string): number {
    const known = numbers.get(modelId)
    if (known !== undefined) return known
    numbers.set(modelId, ids.length)
    return ids.push(modelId) - 1
  }
  return {
    keep({ asOf, era, rankBy, places }: BoardRanking): KeptBoard {
      const order = Int32Array.from(places, ({ modelId }) => numberOf(modelId))
      const ranks = new Int32Array(ids.length).fill(absent)
      const values = new Float64Array(ids.length).fill(Number.NaN)
      for (const [at, { rank, value }] of places.entries()) {
        const number = order[at] as number
        ranks[number] = rank ?? 0
        values[number] = value ?? Number.NaN
      }
      const quantiles = quantilesOf(places)
      return {
        ...{ asOf, era, rankBy, size: ranks.length },
        quantiles,
        modelIds: () => Array.from(order, (number) => ids[number] as string),
        placeOf(modelId) {
          const number = numbers.get(modelId)
          const rank = number === undefined ? undefined : ranks[number]
          if (number === undefined || rank === undefined || rank === absent) return undefined
          const value = values[number] as number
          return { rank: rank === 0 ? null : rank, value: Number.isNaN(value) ? null : value }
        },
      }
    },
  }
}

const shares = [0.05, 0.25, 0.5, 0.75, 0.95]

function quantilesOf(places: BoardRanking['places']): readonly number[] | null {
  const values = places.flatMap(({ modelId, value }) => (value === null || isEnsemble(modelId) ? [] : [value]))
  if (values.length === 0) return null
  values.sort((one, other) => one - other)
  return shares.map((share) => percentile(values, share) as number)
}
