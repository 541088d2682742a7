import { describe, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { reportContract } from '../../live/report-contract.ts'
import type { Column, Widget } from '../routes/schema/web-schema.ts'
import { checkWebConfig } from './check-web-config.ts'
import { type WebConfigFile, webConfig, webConfigFiles } from './web-config.ts'

const contract = reportContract(changedContract({}), 'organizer')
const generated = webConfig(contract, 'next-move')
const columns = generated['leaderboard-columns.json'] as Column[]
const widgets = generated['metrics-widgets.json'] as Widget[]

const changed = <Entry extends object>(all: readonly Entry[], index: number, change: object) =>
  all.map((one, at) => (at === index ? { ...one, ...change } : one))

describe('the configuration of the web application', () => {
  it.each(webConfigFiles)('fits the contract of which it is made: %s', (file) => {
    expect(checkWebConfig(file, generated[file], contract)).toEqual([])
  })

  it('no longer fits a contract with another window, metric or field of a score', () => {
    const other = { ...contract, windows: ['weekly'], metrics: [], scoreFields: ['value'] }
    const keys = webConfigFiles.flatMap((file) => checkWebConfig(file, generated[file], other).map(({ key }) => key))
    expect(keys).toEqual(expect.arrayContaining(['3.property', '0.nativeConfiguration.yAxis.series.0.name']))
    expect(checkWebConfig('leaderboard-columns.json', columns, other)[0]).toEqual({
      key: '3.property',
      cause: 'rows of the leaderboard have no field "score_recent"',
      fix: expect.stringMatching(/^(write|use one of) .*, or delete the entry$/),
    })
  })

  const cases: readonly (readonly [string, WebConfigFile, unknown, string])[] = [
    ['a list that is none', 'leaderboard-columns.json', {}, ''],
    ['an unknown type', 'leaderboard-columns.json', changed(columns, 1, { type: 'MODELL' }), '1.type'],
    ['an unknown format', 'leaderboard-columns.json', changed(columns, 3, { format: 'decimal:2' }), '3.format'],
    ['an id twice', 'leaderboard-columns.json', changed(columns, 2, { id: 1 }), '2.id'],
    ['two columns of the model', 'leaderboard-columns.json', changed(columns, 2, { type: 'PROJECT' }), '2.type'],
    ['no column of the model', 'leaderboard-columns.json', columns.filter(({ type }) => type !== 'PROJECT'), ''],
    ['a widget’s id twice', 'metrics-widgets.json', changed(widgets, 1, { id: widgets[0]?.id }), '1.id'],
    [
      'no such route',
      'metrics-widgets.json',
      changed(widgets, 0, { endpointUrl: '/reports/model/global' }),
      '0.endpointUrl',
    ],
    [
      'no such chart',
      'metrics-widgets.json',
      changed(widgets, 0, { nativeConfiguration: { type: 'bar' } }),
      '0.nativeConfiguration',
    ],
    [
      'no route',
      'global-settings.json',
      { endpoints: { leaderboard: '/board', models: '/reports/models' }, logs: { containerNames: ['a'] } },
      'endpoints.leaderboard',
    ],
    [
      'no container',
      'global-settings.json',
      {
        endpoints: { leaderboard: '/reports/leaderboard?include_ensembles=true', models: '/reports/models' },
        logs: { containerNames: [] },
      },
      'logs.containerNames',
    ],
  ]
  it.each(cases)('is refused with its key: %s', (_, file, content, key) => {
    expect(checkWebConfig(file, content, contract)).toEqual([
      { key, cause: expect.any(String), fix: expect.any(String) },
    ])
  })

  it('may have other titles, orders and charts of the page, and fewer columns', () => {
    const own = [
      ...columns.slice(0, 3),
      { ...columns[3], displayName: 'Mine', order: 99, nativeConfiguration: { type: 'gauge' } },
    ]
    expect(checkWebConfig('leaderboard-columns.json', own, contract)).toEqual([])
    const frame = { id: 900, type: 'IFRAME', displayName: 'Ours', order: 1, endpointUrl: 'https://grafana.example/d/1' }
    const gauge = { ...widgets[0], id: 901, nativeConfiguration: { type: 'gauge', percentage: true } }
    expect(checkWebConfig('metrics-widgets.json', [...widgets, frame, gauge], contract)).toEqual([])
  })
})
