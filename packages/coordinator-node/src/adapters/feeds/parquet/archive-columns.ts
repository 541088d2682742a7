import type { SchemaElement } from 'hyparquet'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import { CrunchError } from '../../../domain/errors.ts'
import { feedScopeKey } from '../../../domain/feed-record.ts'
import type { Json } from '../../../domain/json/json.ts'
import { formatInstant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { archiveMetaColumn, archiveTimeColumn, recordMetaKey } from '../recording/parquet-records.ts'
import { knownDelayMs } from '../recording/record-builder.ts'

/** Values with a column of their own. */
const priceColumns = ['open', 'high', 'low', 'close', 'volume'] as const
const scopeColumns = ['source', 'subject', 'kind', 'granularity'] as const
const rowGroupRows = 50_000

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
  repetition_type: 'OPTIONAL',
})

const schema: SchemaElement[] = [
  { name: 'root', num_children: 2 + scopeColumns.length + priceColumns.length },
  {
    name: archiveTimeColumn,
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    repetition_type: 'OPTIONAL',
  },
  ...scopeColumns.map(text),
  ...priceColumns.map((name): SchemaElement => ({ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' })),
  text(archiveMetaColumn),
]

/** The bytes of a Parquet file of these records, in their order. */
export function encodeArchive(records: readonly SourceRecord[]): Uint8Array {
  const writer = new ByteWriter()
  // Synchronous: the writer keeps its bytes in memory.
  void parquetWrite({
    writer,
    schema,
    rowGroupSize: rowGroupRows,
    createdBy: 'crunch',
    columnData: [
      { name: archiveTimeColumn, data: records.map(({ eventAt }) => BigInt(eventAt) * 1_000n) },
      ...scopeColumns.map((name) => ({ name, data: records.map((record) => record[name]) })),
      ...priceColumns.map((name) => ({ name, data: records.map(({ values }) => priceOf(values[name])) })),
      { name: archiveMetaColumn, data: records.map(metaOf) },
    ],
  })
  return writer.getBytes()
}

function priceOf(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null
}

/** Everything without a column: further values, and `knownAt` unless the kind implies it. */
function metaOf(record: SourceRecord): string {
  const { eventAt, knownAt, values } = record
  if (recordMetaKey in values) {
    const place = `${feedScopeKey(record)} at ${formatInstant(eventAt)}`
    throw new CrunchError(
      'BAD_REQUEST',
      `${place}: the value "${recordMetaKey}" is a reserved name in the archive; rename it`,
    )
  }
  const meta: Record<string, Json> = {}
  for (const [name, value] of Object.entries(values)) if (!hasColumn(name, value)) meta[name] = value
  if (knownAt !== eventAt + knownDelayMs(record)) meta[recordMetaKey] = { known_at: formatInstant(knownAt) }
  return JSON.stringify(meta)
}

function hasColumn(name: string, value: Json): boolean {
  return typeof value === 'number' && (priceColumns as readonly string[]).includes(name)
}
