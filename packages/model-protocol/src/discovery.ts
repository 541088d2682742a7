import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { ProtocolError } from './protocol-error.ts'

/** The state of a deployment. After RECOVERING it becomes RUNNING again. */
export const MODEL_STATES = ['RUNNING', 'STOPPED', 'RECOVERING'] as const

/** Why a coordinator gives a model up; other codes are read as UNKNOWN. */
export const FAILURE_CODES = [
  'CONNECTION_FAILED',
  'BAD_IMPLEMENTATION',
  'MULTIPLE_TIMEOUT',
  'MULTIPLE_FAILED',
  'LOW_PERFORMANCE',
  'UNKNOWN',
] as const

export type FailureCode = (typeof FAILURE_CODES)[number]

const nullableText = z
  .string()
  .nullish()
  .transform((text) => text ?? null)

/** Some orchestrators send Docker's port as text. */
const portSchema = z
  .union([
    z.number().int().min(0).max(65_535),
    z
      .string()
      .regex(/^\d{0,5}$/, 'not a port')
      .transform((text) => (text === '' ? null : Number(text))),
    z.null(),
  ])
  .optional()
  .transform((port) => port ?? null)
  .refine((port) => port === null || port <= 65_535, 'not a port')

/** The names of a model and its owner. */
export const modelInfosSchema = z.object({
  model_name: nullableText,
  cruncher_id: nullableText,
  cruncher_name: nullableText,
  cruncher_wallet_pubkey: nullableText,
  cruncher_hotkey: nullableText,
})

/** One deployment of a model, with the keys of the wire format; unknown keys are dropped. */
export const modelStateSchema = z
  .object({
    deployment_id: z.string().min(1),
    model_id: z.string().min(1),
    infos: modelInfosSchema,
    state: z.enum(MODEL_STATES),
    ip: nullableText,
    port: portSchema,
  })
  .refine((model) => model.state !== 'RUNNING' || (model.ip && model.port), 'a RUNNING model needs ip and port')

export type ModelInfos = z.output<typeof modelInfosSchema>
export type ModelState = z.output<typeof modelStateSchema>

/** An invalid entry of a message, and the reason. */
export interface RejectedEntry {
  readonly index: number
  readonly problem: string
}

/** Whether a model may run again without a change: only a LISTED one may, even if it does not run now. */
export const STANDINGS = ['LISTED', 'QUARANTINED', 'REMOVED'] as const

/**
 * The standing of a model, in addition to the states of its deployments. Our extension of the protocol; deployed
 * coordinators ignore it, so for them removed and crashed models are both STOPPED.
 */
export const modelStandingSchema = z.object({
  model_id: z.string().min(1),
  standing: z.enum(STANDINGS),
  /** The reason as text; `null` for a LISTED model. */
  reason: nullableText,
})

export type ModelStanding = z.output<typeof modelStandingSchema>

/** A message of the orchestrator. Invalid entries are in `rejected`, so that they do not hide the others. */
export type ServerMessage =
  | {
      readonly event: 'init' | 'update'
      readonly data: readonly ModelState[]
      readonly rejected: readonly RejectedEntry[]
      /** In `init` all standings, in `update` the changed ones; `null` if the orchestrator does not send them. */
      readonly standings: readonly ModelStanding[] | null
    }
  | { readonly event: 'error'; readonly error: string }
  | { readonly event: 'unknown'; readonly name: string }

const failureReportSchema = z.object({
  model_id: z.string().min(1),
  failure_code: z.string().transform((code): FailureCode => FAILURE_CODES.find((known) => known === code) ?? 'UNKNOWN'),
  failure_reason: nullableText,
  ip: z.string(),
})

export type FailureReport = z.output<typeof failureReportSchema>

/** A message of a coordinator. */
export type ClientMessage =
  | {
      readonly event: 'report_failure'
      readonly data: readonly FailureReport[]
      readonly rejected: readonly RejectedEntry[]
    }
  | { readonly event: 'unknown'; readonly name: string }

const envelopeSchema = z.object({ event: z.string(), data: z.unknown().optional(), standings: z.unknown().optional() })
const standingsSchema = z.array(modelStandingSchema)
const errorSchema = z.object({ error: z.string() })

/** Parses a frame of the orchestrator. Throws `MESSAGE_INVALID` if it is not a message. */
export function parseServerMessage(text: string): ServerMessage {
  const json = parseJson(text)
  const error = errorSchema.safeParse(json)
  if (error.success) return { event: 'error', error: error.data.error }
  const { event, data, standings } = parseEnvelope(json)
  if (event !== 'init' && event !== 'update') return { event: 'unknown', name: event }
  const entries = parseEntries(event, data, modelStateSchema)
  // An invalid list counts as absent, not as a list without models.
  const known = standingsSchema.safeParse(standings)
  return { event, data: entries.accepted, rejected: entries.rejected, standings: known.success ? known.data : null }
}

/** Parses a frame of a coordinator. Throws `MESSAGE_INVALID` if it is not a message. */
export function parseClientMessage(text: string): ClientMessage {
  const { event, data } = parseEnvelope(parseJson(text))
  if (event !== 'report_failure') return { event: 'unknown', name: event }
  const entries = parseEntries(event, data, failureReportSchema)
  return { event, data: entries.accepted, rejected: entries.rejected }
}

/** The frame with all running models (`init`) or the ones that changed (`update`). */
export function writeServerMessage(
  event: 'init' | 'update',
  data: readonly ModelState[],
  standings?: readonly ModelStanding[],
): string {
  return JSON.stringify({ event, data, standings })
}

/** The frame that reports models to the orchestrator; `ip` must be the text that it announced. */
export function writeFailureReport(data: readonly FailureReport[]): string {
  return JSON.stringify({ event: 'report_failure', data })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ProtocolError('MESSAGE_INVALID', `not JSON: ${errorText(error)}`, {
      cause: error,
    })
  }
}

function parseEnvelope(json: unknown): z.output<typeof envelopeSchema> {
  const envelope = envelopeSchema.safeParse(json)
  if (envelope.success) return envelope.data
  throw new ProtocolError('MESSAGE_INVALID', `not a discovery message: ${describe(envelope.error)}`)
}

function parseEntries<Entry>(
  event: string,
  data: unknown,
  schema: z.ZodType<Entry>,
): { accepted: Entry[]; rejected: RejectedEntry[] } {
  if (!Array.isArray(data)) throw new ProtocolError('MESSAGE_INVALID', `"data" of the ${event} message must be a list`)
  const accepted: Entry[] = []
  const rejected: RejectedEntry[] = []
  for (const [index, item] of data.entries()) {
    const entry = schema.safeParse(item)
    if (entry.success) accepted.push(entry.data)
    else rejected.push({ index, problem: describe(entry.error) })
  }
  return { accepted, rejected }
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': ')).join('; ')
}
