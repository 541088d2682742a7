import type { Context } from 'hono'
import { OrchestratorError } from '../../errors.ts'
import { type LoggedLine, readModelLog } from '../../logs/read-model-log.ts'
import type { ModelsApiContext } from './models-api-context.ts'

const MAX_STREAMS = 100
/** How many existing lines `from_start=false` shows. */
const RECENT_LINES = 100
const RUN_ID = /^(.+)_\d{8}_\d{6}_\d{3}$/

/**
 * `GET /models/logs/{builder|runner}/{id}?follow=&from_start=`: the messages of a run as text. The id is that of a run, or
 * of a model for its newest run. `follow` keeps the response open until the run ends. `from_start=true` (the default)
 * begins with the oldest stored line, `false` with the newest hundred.
 */
export function createLogsRoute(api: ModelsApiContext): (context: Context) => Promise<Response> {
  let streams = 0
  return async (context) => {
    const kind = context.req.param('kind') ?? ''
    const id = context.req.param('id') ?? ''
    if (kind !== 'builder' && kind !== 'runner') {
      throw new OrchestratorError('LOG_UNKNOWN', `there is no "${kind}" log; there are builder and runner`)
    }
    if (api.logsDirectory === undefined) {
      throw new OrchestratorError('LOG_UNKNOWN', 'no logs are kept; start the orchestrator with --logs DIRECTORY')
    }
    if (streams >= MAX_STREAMS) {
      throw new OrchestratorError('BUSY', `${MAX_STREAMS} logs are being read; close some and try again`)
    }
    const isRun = RUN_ID.test(id)
    // An older run, or a run of a previous orchestrator, gets no more lines.
    const mayGrow = api.models().some((model) => (isRun ? model.latestDeploymentId : model.id) === id)
    const follow = readFlag(context, 'follow', false) && mayGrow
    const leave = new AbortController()
    const lines = readModelLog({
      logsDirectory: api.logsDirectory,
      modelId: RUN_ID.exec(id)?.[1] ?? id,
      ...(isRun ? { deploymentId: id } : {}),
      follow,
      ...(readFlag(context, 'from_start', true) ? {} : { lines: RECENT_LINES }),
      signal: leave.signal,
    })
    // Reading the first line shows whether the log exists. A followed log may have no line yet.
    const first = follow ? null : await lines.next()
    streams += 1
    return new Response(
      toTextStream(withFirst(first, lines), kind === 'builder', leave, () => {
        streams -= 1
      }),
      { headers: { 'content-type': 'text/plain; charset=utf-8', 'x-accel-buffering': 'no' } },
    )
  }
}

async function* withFirst(
  first: IteratorResult<LoggedLine, void> | null,
  rest: AsyncGenerator<LoggedLine, void>,
): AsyncGenerator<LoggedLine, void> {
  if (first?.done === true) return
  try {
    if (first !== null) yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}

function toTextStream(
  lines: AsyncGenerator<LoggedLine, void>,
  isBuilder: boolean,
  leave: AbortController,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let isOpen = true
  const end = () => {
    if (isOpen) onEnd()
    isOpen = false
  }
  return new ReadableStream({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await lines.next()
          if (!isOpen) return
          if (done) {
            end()
            controller.close()
            return
          }
          if ((value.emitter === 'builder') !== isBuilder) continue
          controller.enqueue(encoder.encode(`${value.message}\n`))
          return
        }
      } catch (error) {
        end()
        controller.error(error)
      }
    },
    async cancel() {
      end()
      leave.abort()
      await lines.return()
    },
  })
}

function readFlag(context: Context, name: string, otherwise: boolean): boolean {
  const text = context.req.query(name)?.toLowerCase()
  if (text === undefined || text === '') return otherwise
  if (['true', '1', 'yes', 'on'].includes(text)) return true
  if (['false', '0', 'no', 'off'].includes(text)) return false
  throw new OrchestratorError(
    'REQUEST_INVALID',
    `query parameter "${name}" is "${text.slice(0, 50)}"; use true or false`,
  )
}
