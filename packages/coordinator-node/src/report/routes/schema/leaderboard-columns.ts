import { formatDuration } from '../../../domain/time.ts'
import type { ReportContract } from '../../report-context.ts'
import { windowKey } from '../../rows/row-fields.ts'
import type { Column } from './web-schema.ts'

/** The columns of the leaderboard. Fixed ones have the properties of the web application's own, which take their places. */
export function leaderboardColumns(contract: ReportContract): Column[] {
  const windows = contract.windows.map((name, index) => {
    const tooltip = `Mean score over ${formatDuration(contract.windowMs[name] ?? 0)}`
    return value(windowKey(name), 'decimal-4', tooltip, 10 * (index + 1))
  })
  // A window has the column of a metric of the same name.
  const names = windows.map(({ property }) => property)
  const metrics = contract.metrics
    .filter((name) => !names.includes(name))
    .map((name, index) => value(name, 'decimal-4', 'Of the newest snapshot', 100 + 10 * index))
  const columns: Omit<Column, 'id'>[] = [
    { ...value('username', null, null, -10), type: 'USERNAME', displayName: 'Cruncher' },
    {
      ...{ ...value('model_name', null, null, 0), type: 'PROJECT', displayName: 'Model' },
      nativeConfiguration: { type: 'model', statusProperty: 'status' },
    },
    value('rank', 'integer', null, 5),
    ...windows,
    ...metrics,
    value('coverage', 'percentage', 'Share of the rounds of the ranking window with a valid answer', 1_000),
  ]
  return columns.map((column, index) => ({ id: index + 1, ...column }))
}

function value(
  property: string,
  format: string | null,
  tooltip: string | null,
  order: number,
): Omit<Column, 'id' | 'type'> & { type: Column['type'] } {
  return { type: 'VALUE', property, format, displayName: titleOf(property), tooltip, nativeConfiguration: null, order }
}

/** `score_recent`: `Score Recent` */
export function titleOf(name: string): string {
  return name
    .split('_')
    .filter((word) => word !== '')
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join(' ')
}
