import { z } from 'zod'
import { count, numberOrNull, textOrNull, zonedTime } from '../schemas/fields.ts'

export const stageNames = ['feed', 'input', 'prediction', 'score', 'snapshot', 'leaderboard', 'checkpoint'] as const

const stage = z
  .object({
    stage: z.enum(stageNames),
    last_at: zonedTime.nullable().meta({ description: 'Of the newest result.' }),
    lag_ms: numberOrNull.meta({
      description:
        'For how long the oldest waiting piece of work could have been done; 0 without one. Feed: the age of the newest record of the most delayed feed.',
    }),
    per_hour: count.meta({
      description:
        'Results of the last hour: records, rounds asked, rounds answered, rounds settled, periods closed (two stages), payouts closed.',
    }),
    queue: count.nullable().meta({
      description:
        'Rounds that wait for answers or for settling, payouts that wait for a confirmation; null elsewhere.',
    }),
    latency_ms: z
      .object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() })
      .nullable()
      .meta({ description: 'How long valid answers of the last hour took; null for other stages.' }),
    failures: z
      .record(z.string(), count)
      .meta({ description: 'Of the last hour, by reason: missing and invalid answers, void rounds.' }),
  })
  .meta({ id: 'StageOperations' })

const problemRow = z
  .object({
    stage: z.enum(stageNames),
    what: z.string(),
    since: zonedTime.nullable(),
    cause: textOrNull.meta({ description: "For errors of the organizer's code and services only for admins." }),
    fix: textOrNull,
  })
  .meta({ id: 'OperationsProblem' })

const worker = z
  .object({
    worker: z.string(),
    heartbeat_at: zonedTime,
    silent_ms: z.number(),
    since_work_ms: numberOrNull.meta({ description: 'Since it last finished a pass over its work.' }),
    is_silent: z.boolean().meta({ description: 'Whether the heartbeat that it promised is late.' }),
    is_failing: z.boolean().meta({ description: 'Whether its newest pass failed.' }),
    problem: textOrNull.meta({ description: 'Why; only for admins.' }),
  })
  .meta({ id: 'WorkerOperations' })

const database = z
  .object({
    bytes: count,
    growth: z
      .object({ bytes: z.number().int(), since: zonedTime })
      .nullable()
      .meta({ description: 'Since the first request to this process; null for that request.' }),
    tables: z.array(
      z.object({
        table: z.string(),
        bytes: count.meta({ description: 'With its indexes.' }),
        rows: count.nullable().meta({ description: "The database's estimate." }),
      }),
    ),
  })
  .meta({ id: 'DatabaseOperations' })

export const operationsBody = z
  .object({
    at: zonedTime,
    status: z.enum(['ok', 'degraded']),
    problems: z.array(problemRow),
    stages: z.array(stage),
    workers: z.array(worker),
    database: database.nullable().meta({ description: 'Null where nothing is stored in a database.' }),
  })
  .meta({ id: 'Operations' })

export type OperationsBody = z.input<typeof operationsBody>
export type ProblemRow = OperationsBody['problems'][number]
export type StageRow = OperationsBody['stages'][number]
