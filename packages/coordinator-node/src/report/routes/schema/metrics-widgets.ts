import type { ReportContract } from '../../report-context.ts'
import { windowKey } from '../../rows/row-fields.ts'
import { titleOf } from './leaderboard-columns.ts'
import type { Widget } from './web-schema.ts'

/**
 * The charts of the web application. Its own have the ids 1 to 3 and show these routes, so that ours take their places; further
 * ones have ids from 100.
 */
export function metricsWidgets(contract: ReportContract): Widget[] {
  const windows = contract.windows.map(windowKey)
  const measures = [...new Set([contract.value, ...contract.scoreFields, ...contract.metrics])]
  const widgets: Widget[] = [
    chart({ id: 1, order: 10, name: 'Score Metrics', path: '/reports/models/global', series: windows }),
    chart({
      ...{ id: 2, order: 30, name: 'Predictions', path: '/reports/predictions', series: ['score_value'] },
      more: {
        groupByProperty: 'param',
        alertConfig: { field: 'score_failed', reasonField: 'score_failed_reason' },
        filterConfig: questionFilters,
      },
    }),
    chart({
      ...{ id: 3, order: 20, name: 'Rolling score by parameters', path: '/reports/models/params', series: windows },
      more: { groupByProperty: 'param', filterConfig: questionFilters },
    }),
    chart({ id: 100, order: 40, name: 'Snapshots', path: '/reports/models/metrics', series: measures }),
    chart({
      ...{ id: 101, order: 50, name: 'Rewards', path: '/reports/checkpoints/rewards', series: ['reward_pct'] },
      x: 'period_end',
    }),
  ]
  return widgets.sort((one, other) => one.order - other.order)
}

const questionFilters = ['subject', 'horizon'].map((property) => ({
  ...{ property, label: titleOf(property), type: 'select' as const, autoSelectFirst: true },
}))

interface Chart {
  readonly id: number
  readonly order: number
  readonly name: string
  readonly path: string
  readonly series: readonly string[]
  readonly x?: string
  readonly more?: Partial<Widget['nativeConfiguration']>
}

function chart({ id, order, name, path, series, x = 'performed_at', more = {} }: Chart): Widget {
  return {
    ...{ id, type: 'CHART', displayName: name, tooltip: null, order, endpointUrl: path },
    nativeConfiguration: {
      type: 'line',
      xAxis: { name: x },
      yAxis: { series: series.map((property) => ({ name: property, label: titleOf(property) })), format: 'decimal-4' },
      displayEvolution: false,
      ...more,
    },
  }
}
