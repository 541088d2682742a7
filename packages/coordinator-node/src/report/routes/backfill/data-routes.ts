import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { DataFiles } from '../../data-files.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContext } from '../../report-context.ts'
import { count } from '../../schemas/fields.ts'

const shared = { method: 'get', tag: 'Backfill', tier: 'read', errors: [404] } as const

export const dataIndex = defineRoute({
  ...shared,
  path: '/data/backfill/index',
  summary: 'The Parquet files that backfills wrote, one per series and day.',
  answer: z.array(
    z
      .object({
        path: z.string().meta({
          description: 'Behind `/data/backfill/`; parts are escaped as in a URL.',
          examples: ['binance/BTCUSDT/candle/1m/2026-03-01.parquet'],
        }),
        records: count.nullable().meta({ description: 'Null for a damaged file.' }),
        size_bytes: count,
        date: z.string().meta({ description: 'The UTC day.', examples: ['2026-03-01'] }),
      })
      .meta({ id: 'DataFile' }),
  ),
  example: { path: '/data/backfill/index' },
})

export const serveDataIndex = serveRoute(dataIndex, (report) => async () => {
  const files = await filesOf(report).list()
  return files.map(({ scope, name, sizeBytes, recordCount }) => ({
    path: [scope.source, scope.subject, scope.kind, scope.granularity, name].map(encodeURIComponent).join('/'),
    records: recordCount,
    size_bytes: sizeBytes,
    date: name.slice(0, '2026-03-01'.length),
  }))
})

export const dataFile = defineRoute({
  ...shared,
  path: '/data/backfill/{source}/{subject}/{kind}/{granularity}/{filename}',
  params: z.object({ source: idField, subject: idField, kind: idField, granularity: idField, filename: idField }),
  summary: 'One Parquet file.',
  mediaType: 'application/octet-stream',
  answer: z.string().meta({ format: 'binary' }),
  example: { path: '/data/backfill/binance/BTCUSDT/candle/1m/2026-03-01.parquet' },
})

export const serveDataFile = serveRoute(dataFile, (report) => async ({ params, context }) => {
  const { filename, ...scope } = params
  const file = await filesOf(report).open(scope, filename)
  if (file === null) throw new CrunchError('NOT_FOUND', 'File not found: GET /data/backfill/index lists all files.')
  const headers = {
    'content-length': String(file.sizeBytes),
    'content-type': 'application/octet-stream',
    // A header holds Latin-1 without quotes: the name of a day's file stays as it is.
    'content-disposition': `attachment; filename="${encodeURIComponent(filename)}"`,
  }
  if (context.req.method !== 'HEAD') return context.body(file.bytes, 200, headers)
  await file.bytes.cancel()
  return context.body(null, 200, headers)
})

/** Rejects with NOT_FOUND in a process without a data folder. */
function filesOf({ dataFiles }: Pick<ReportContext, 'dataFiles'>): DataFiles {
  if (dataFiles !== undefined) return dataFiles
  throw new CrunchError('NOT_FOUND', 'This process has no data folder: ask the report worker of the node.')
}
