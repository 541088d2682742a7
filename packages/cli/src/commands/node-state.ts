import { printable } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import type { InfoRow, ReportClient } from '../report-api/report-client.ts'
import { formatTable } from '../tables.ts'

/** The state of a node as its API reports it; `problem` says why parts are missing. */
export type NodeState = Awaited<ReturnType<typeof readNode>>

/** Reads health first: `/healthz` answers even if the database does not, and explains why the rest is missing. */
export async function readNode(client: ReportClient) {
  const health = await orProblem(() => client.health())
  if ('problem' in health) return health
  // Without the database, other routes answer late or never.
  if (health.value.detail !== undefined)
    return { health: health.value, problem: 'nothing else can be read until the database answers' }
  const rest = await orProblem(() =>
    Promise.all([client.feeds(), client.models(), client.leaderboard(), client.checkpoints(), client.info()]),
  )
  if ('problem' in rest) return { health: health.value, problem: rest.problem }
  const [feeds, models, leaderboard, checkpoints, info] = rest.value
  const leaderAt = leaderboard[0]?.created_at ?? null
  return { health: health.value, feeds, models, leaderAt, checkpointCount: checkpoints.length, info }
}

async function orProblem<Value>(
  read: () => Promise<Value>,
): Promise<{ readonly value: Value } | { readonly problem: string }> {
  try {
    return { value: await read() }
  } catch (error) {
    if (error instanceof CliError) return { problem: error.message }
    throw error
  }
}

/** Which worker opens the rounds, from `/healthz`. */
function describeLease(lease: unknown): readonly string[] {
  if (typeof lease !== 'object' || lease === null || !('holder' in lease) || !('silent_ms' in lease)) return []
  if (lease.holder === null) return ['rounds are opened by: no worker']
  const since = 'taken_at' in lease ? ` since ${String(lease.taken_at)}` : ''
  const age = Math.max(0, Math.round(Number(lease.silent_ms) / 1_000))
  return [`rounds are opened by: ${printable(String(lease.holder))}${since}, last heard ${age} s ago`]
}

/** `era 2 since 2026-03-01T10:00:00.000Z, code version 3 (1f0e9a7b) since 2026-03-02T10:00:00.000Z` */
function describeRules({ era, contract_version: code }: InfoRow): readonly string[] {
  if (era === undefined || code === undefined) return []
  const version = `code version ${code.version} (${printable(code.hash.slice(0, 8))}) since ${printable(code.first_seen_at)}`
  return [`era ${era.number} since ${printable(era.began_at)}, ${version}`]
}

/** Whether the node reports that its database cannot be used. */
export function isDatabaseDown(node: NodeState): boolean {
  return 'health' in node && 'problem' in node && node.health.detail !== undefined
}

const startYourself =
  'Start the workers yourself, with the commands that crunch deploy dev prints. Health, feeds and ranks are shown while the report worker runs.'

/** The lines of `crunch status` about a node. */
export function describeNode(
  node: NodeState,
  { isDev = false, databasePlace }: { readonly isDev?: boolean; readonly databasePlace?: string | undefined } = {},
): readonly string[] {
  if (!('health' in node)) return [isDev ? startYourself : `API: ${node.problem}`]
  const lines = [...linesOf(node.health.reasons), ...linesOf(node.health.notes)]
  const health = [`health: ${String(node.health.status)}`, ...lines, ...describeLease(node.health.predict_lease)]
  if ('problem' in node) {
    const place = databasePlace === undefined ? [] : [`  the address of the database is set here: ${databasePlace}`]
    return [...health, ...place, `API: ${node.problem}`]
  }
  // The reason why a feed is not up is printed with the reasons of health, because it can be long.
  const feeds = formatTable(
    ['feed', 'status', 'since', 'known up to', 'records'],
    node.feeds.map((feed) => [
      `${feed.source}:${feed.subject}:${feed.kind}:${feed.granularity}`,
      feed.status ?? '',
      feed.status_since ?? '',
      feed.watermark_ts ?? '',
      `${feed.record_count}${feed.missing_count ? ` (${feed.missing_count} missing)` : ''}`,
    ]),
  )
  const isRetired = ({ retired_at }: { readonly retired_at?: string | null }) => (retired_at ?? null) !== null
  const models = node.models.filter((model) => !isRetired(model)).map((model) => model.model_name ?? model.model_id)
  const retired = node.models.filter(isRetired)
  return [
    ...health,
    ...describeRules(node.info),
    node.feeds.length === 0 ? 'no feed has received a record yet' : feeds,
    models.length === 0
      ? 'no model has been called yet; list the models with: crunch models'
      : `models (${models.length}): ${models.join(', ')}`,
    ...retired.map(
      ({ model_id, retired_at, retirement_reason }) =>
        `retired: model ${printable(model_id)} since ${retired_at}: ${printable(retirement_reason ?? '')}`,
    ),
    `leaderboard of ${node.leaderAt ?? 'no period yet'}, checkpoints: ${node.checkpointCount}`,
  ]
}

/** Each reason on one line, with control characters escaped: participants can influence the text. */
function linesOf(texts: unknown): readonly string[] {
  return Array.isArray(texts) ? texts.map((text) => `  ${printable(String(text))}`) : []
}
