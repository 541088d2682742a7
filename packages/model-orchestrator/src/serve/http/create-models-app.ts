import { errorText } from '@crunch/local-processes/errors'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { OrchestratorError, type OrchestratorErrorCode } from '../../errors.ts'
import { createDeploymentIds } from '../../models-file/deployment-ids.ts'
import { addSubmission, changeModel, removeModel, type StoredModel } from '../../submission/submission-store.ts'
import type { Refusal } from './access-gate.ts'
import { createLogsRoute } from './logs-route.ts'
import { byModelId, toModelRow } from './model-row.ts'
import type { ModelsApiContext } from './models-api-context.ts'
import { readModelForm, withUploadedFiles } from './read-upload.ts'

/** The largest submission, plus the form fields around it. */
const MAX_BODY_BYTES = 101 * 1024 * 1024
/** Limited, because each upload keeps its body in memory. */
const MAX_UPLOADS_AT_ONCE = 2

const STATUSES: Readonly<Partial<Record<OrchestratorErrorCode, 400 | 404 | 409 | 503>>> = {
  REQUEST_INVALID: 400,
  SUBMISSION_REFUSED: 400,
  MODEL_UNKNOWN: 404,
  LOG_UNKNOWN: 404,
  MODELS_FILE_INVALID: 409,
  MODELS_FILE_LOCKED: 503,
  BUSY: 503,
}

/**
 * The HTTP API for models: list, add, change, remove, logs. Errors are `{ detail, message, code }`. Changes go to the
 * models file, which the orchestrator reads again within a second.
 */
export function createModelsApp(api: ModelsApiContext, gate: (headers: Headers) => Refusal | null): Hono {
  const app = new Hono()
  const submissionIdNow = createDeploymentIds()
  const oneOfFew = createTurnstile(MAX_UPLOADS_AT_ONCE)
  // First, so that a browser can also read the errors of later handlers.
  app.use(cors({ origin: '*' }))
  app.use(async (context, next) => {
    const refusal = gate(context.req.raw.headers)
    if (refusal !== null) return context.json(errorBody(refusal.text, 'ACCESS_DENIED'), refusal.status)
    await next()
    return undefined
  })
  app.onError((error, context) => answerError(error, context, api))
  app.notFound((context) => {
    const text = `there is no ${context.req.method} ${context.req.path}; there are /models, /models/{id} and /models/logs`
    return context.json(errorBody(text, 'NOT_FOUND'), 404)
  })
  app.get('/models', (context) => {
    const logsUrl = api.logsDirectory === undefined ? null : `${new URL(context.req.url).origin}/models/logs`
    return context.json([...api.models()].sort(byModelId).map((model) => toModelRow(model, api.crunchId, logsUrl)))
  })
  app.get('/models/logs/:kind/:id', createLogsRoute(api))
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (context) =>
      context.json(errorBody(`the body is larger than ${MAX_BODY_BYTES} bytes; leave out data`, 'TOO_LARGE'), 413),
  })
  app.post('/models', oneOfFew, limit, async (context) => {
    const { files, ...rest } = await readModelForm(context.req.raw)
    if (files.length === 0) {
      const fix = 'send one .ipynb, or main.py with requirements.txt, or main.ts, each as a form field "files"'
      throw new OrchestratorError('REQUEST_INVALID', `no files were sent; ${fix}`)
    }
    const { modelsFile, submissionsDirectory, logsDirectory, crunchId } = api
    const submissionId = submissionIdNow('').slice(1)
    const stored = await withUploadedFiles(files, (source) =>
      addSubmission({ source, submissionsDirectory, modelsFile, logsDirectory, crunchId, submissionId, ...rest }),
    )
    api.log.info('model was added by upload', { modelId: stored.id, submissionId: stored.submissionId })
    return context.json(toAnswer(stored, crunchId))
  })
  app.patch('/models/:id', oneOfFew, limit, async (context) => {
    const { id } = context.req.param()
    const { files, cruncherId, ...rest } = await readModelForm(context.req.raw)
    if (cruncherId !== undefined) {
      throw new OrchestratorError('REQUEST_INVALID', 'form field "cruncher_id" cannot be changed; add a new model')
    }
    const change = (code?: { source: string; submissionId: string }) => changeModel(api, id, { ...rest, ...code })
    const submissionId = submissionIdNow('').slice(1)
    const stored =
      files.length === 0 ? await change() : await withUploadedFiles(files, (source) => change({ source, submissionId }))
    if (rest.desiredState === 'RUNNING') api.retry(id)
    return context.json(toAnswer(stored, api.crunchId))
  })
  app.delete('/models/:id', async (context) => {
    const { id } = context.req.param()
    await removeModel(api.modelsFile, id)
    return context.json({ id, removed: true })
  })
  return app
}

function toAnswer(stored: StoredModel, crunchId: string) {
  return {
    id: stored.id,
    model_name: stored.modelName,
    crunch_id: crunchId,
    desired_state: stored.desiredState,
    cruncher_id: stored.cruncherId,
    cruncher_name: stored.cruncherName,
  }
}

function createTurnstile(maxAtOnce: number) {
  let running = 0
  return async (_context: Context, next: () => Promise<void>): Promise<void> => {
    if (running >= maxAtOnce)
      throw new OrchestratorError('BUSY', 'other uploads are being processed; try again in a moment')
    running += 1
    try {
      await next()
    } finally {
      running -= 1
    }
  }
}

function answerError(error: Error, context: Context, { log }: ModelsApiContext): Response {
  const code = error instanceof OrchestratorError ? error.code : null
  const status = code === null ? undefined : STATUSES[code]
  if (code !== null && status !== undefined) {
    if (status === 503) context.header('retry-after', '1')
    return context.json(errorBody(error.message, code), status)
  }
  const { method, path } = context.req
  log.error('request of the HTTP API failed', { method, path, reason: errorText(error), stack: error.stack })
  return context.json(errorBody('the orchestrator failed to answer; its log says why', 'INTERNAL'), 500)
}

/** Clients of the deployed orchestrator read `detail`. */
function errorBody(text: string, code: string) {
  return { detail: text, message: text, code }
}
