import {
  type Argument,
  type CallRequest,
  type CallResponse,
  decodeVariant,
  encodeResult,
  type KwArgument,
  type ModelStatusCode,
  type SetupRequest,
  type Status,
} from '@crunch/model-protocol'
import { BadImplementationError, loadModelClass } from './load-model.ts'
import { parameterNames } from './parameter-names.ts'
import type { RunnerLog } from './runner-log.ts'

/** Longer error messages of a model are truncated in the response; the log contains the full text. */
const MAX_STATUS_MESSAGE_LENGTH = 4_000

/** Each combination of dropped keyword arguments is logged once, up to this many combinations. */
const MAX_REMEMBERED_DROPS = 1_000

/** Another Setup, Call or Rest is still running; sent as the gRPC status RESOURCE_EXHAUSTED. */
export class ServerBusyError extends Error {
  override readonly name = 'ServerBusyError'

  constructor() {
    super('Server busy')
  }
}

export interface ModelHostOptions {
  /** The folder of the submission. */
  readonly directory: string
  /** The entry, relative to the folder; searched for when absent. */
  readonly mainFile?: string | undefined
  readonly log: RunnerLog
}

/** The protocol's three methods for one model. Failures of the model are returned as a status; only `ServerBusyError` is thrown. */
export interface ModelHost {
  setup(request: SetupRequest): Promise<Status>
  call(request: CallRequest): Promise<CallResponse>
  rest(): Promise<Status>
}

type Instance = Record<string, unknown>

/**
 * Hosts the model of a folder and executes one request at a time. A caller's deadline does not stop a running method; until it
 * ends, other requests fail at once with `ServerBusyError`.
 */
export function createModelHost({ directory, mainFile, log }: ModelHostOptions): ModelHost {
  let instance: Instance | undefined
  let busy = false
  const drops = new Set<string>()

  async function exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (busy) throw new ServerBusyError()
    busy = true
    try {
      return await work()
    } finally {
      busy = false
    }
  }

  async function setup(request: SetupRequest): Promise<Status> {
    if (instance !== undefined) return status('SUCCESS', 'Instance already exists')
    const className = request.className.trim()
    if (className === '') return status('INVALID_ARGUMENT', 'class_name cannot be empty')
    try {
      instance = await createInstance({ directory, mainFile, className, request })
      return status('SUCCESS', 'Instance created successfully')
    } catch (error) {
      log('error', `Setup of ${className} failed: ${describeStack(error)}`)
      const isBad = error instanceof BadImplementationError || isMissingModule(error)
      return status(isBad ? 'BAD_IMPLEMENTATION' : 'SETUP_FAILED', describeText(error))
    }
  }

  async function call({ methodName, methodArguments, methodKwArguments }: CallRequest): Promise<CallResponse> {
    if (instance === undefined) return failed('FAILED_PRECONDITION', 'Setup has not been called yet')
    if (methodName === '') return failed('INVALID_ARGUMENT', 'methodName cannot be empty')
    try {
      const method = findMember(instance, methodName)
      if (method === undefined) {
        const name = instance.constructor.name
        return failed('BAD_IMPLEMENTATION', `Method "${methodName}" not found in class "${name}"`)
      }
      if (typeof method !== 'function') throw new TypeError(`"${methodName}" is not a method`)
      const positional = decodePositional(methodArguments)
      const { values, dropped } = placeKeywords(method as Method, positional, methodKwArguments)
      warnOnce(methodName, dropped)
      const result: unknown = await method.apply(instance, values)
      return { status: status('SUCCESS', ''), methodResponse: encodeResult(result) }
    } catch (error) {
      log('error', `Call of ${methodName} failed: ${describeStack(error)}`)
      return failed('MODEL_FAILED', `The model raised an exception: ${describeText(error)}`)
    }
  }

  async function rest(): Promise<Status> {
    if (instance === undefined) return status('SUCCESS', 'No instance exists to reset')
    instance = undefined
    return status('SUCCESS', 'Instance successfully reset')
  }

  function warnOnce(methodName: string, dropped: readonly string[]): void {
    const key = `${methodName}(${dropped.join(', ')})`
    if (dropped.length === 0 || drops.has(key) || drops.size >= MAX_REMEMBERED_DROPS) return
    drops.add(key)
    log('warning', `${methodName} has no parameters named ${dropped.join(', ')}: these keyword arguments are dropped`)
  }

  return {
    setup: (request) => exclusively(() => setup(request)),
    call: (request) => exclusively(() => call(request)),
    rest: () => exclusively(rest),
  }
}

type Method = (...values: unknown[]) => unknown

interface InstanceOptions {
  readonly directory: string
  readonly mainFile: string | undefined
  readonly className: string
  readonly request: SetupRequest
}

async function createInstance({ directory, mainFile, className, request }: InstanceOptions): Promise<Instance> {
  const values = decodePositional(request.instanceArguments)
  const [moduleName, baseName] = splitClassName(className)
  if (moduleName === '') throw new Error(`Invalid class name '${baseName}'. Use 'module.ClassName' format.`)
  if (baseName === '') throw new Error(`Class '' not found in module '${moduleName}'.`)
  const keywords = request.instanceKwArguments.map(({ keyword }) => keyword)
  if (keywords.length > 0) {
    throw new Error(`a constructor in JavaScript takes no keyword arguments, got ${keywords.join(', ')}`)
  }
  const Model = await loadModelClass(directory, className, mainFile)
  return new Model(...values) as Instance
}

function splitClassName(className: string): [moduleName: string, baseName: string] {
  const dot = className.lastIndexOf('.')
  return [className.slice(0, Math.max(dot, 0)), className.slice(dot + 1)]
}

/** A missing module that a constructor imports counts as BAD_IMPLEMENTATION, like one that the file imports. */
function isMissingModule(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND'
}

/** Finds an attribute, including inherited ones, but not those of every JavaScript object. */
function findMember(instance: Instance, name: string): unknown {
  if (name === 'constructor' || name === '__proto__') return undefined
  const member = instance[name]
  return member === (Object.prototype as unknown as Instance)[name] ? undefined : member
}

/** Sorts by position; gaps are ignored. */
function decodePositional(list: readonly Argument[]): unknown[] {
  return [...list].sort((left, right) => left.position - right.position).map(({ data }) => decodeVariant(data))
}

/**
 * Puts keyword arguments at the positions of the parameters with these names, after the positional ones. Unknown names are
 * dropped, so that a coordinator can add arguments without breaking older models.
 */
function placeKeywords(
  method: Method,
  positional: readonly unknown[],
  keywords: readonly KwArgument[],
): { values: unknown[]; dropped: string[] } {
  const values = [...positional]
  if (keywords.length === 0) return { values, dropped: [] }
  const names = parameterNames(method)
  const dropped: string[] = []
  for (const { keyword, data } of keywords) {
    // Dropped arguments are decoded too, so that an invalid one fails for every method.
    const value = decodeVariant(data)
    const index = names.indexOf(keyword)
    if (index >= positional.length) values[index] = value
    else dropped.push(keyword)
  }
  return { values, dropped }
}

function failed(code: ModelStatusCode, message: string): CallResponse {
  return { status: status(code, message), methodResponse: undefined }
}

function status(code: ModelStatusCode, message: string): Status {
  const isLong = message.length > MAX_STATUS_MESSAGE_LENGTH
  return { code, message: isLong ? `${message.slice(0, MAX_STATUS_MESSAGE_LENGTH)}…` : message }
}

function describeText(error: unknown): string {
  // Node appends the chain of importing files, which is only useful in the log.
  if (error instanceof Error && isMissingModule(error)) return error.message.split('\n', 1)[0]!
  return error instanceof Error ? error.message || error.name : describeThrown(error)
}

/** A participant may throw any value, even an object that cannot be converted to text. */
function describeThrown(thrown: unknown): string {
  return typeof thrown === 'object' || typeof thrown === 'function' ? 'a value that is not an Error' : String(thrown)
}

function describeStack(error: unknown): string {
  if (!(error instanceof Error)) return describeThrown(error)
  const cause = error.cause === undefined ? '' : `\nCaused by: ${describeStack(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
