import { setTimeout as pause } from 'node:timers/promises'
import type { FailureCode, SetupResponse } from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import { type ModelChannel, openModelChannel } from './model-channel.ts'
import type { ResolvedOptions } from './runner-options.ts'

export type SetUpResult =
  | { readonly kind: 'ready'; readonly channel: ModelChannel }
  /** The model was stopped or replaced meanwhile. */
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly reason: string }
  /** Our own settings are wrong; no model can do anything about it. */
  | { readonly kind: 'misconfigured'; readonly reason: string }

export interface ModelAddress {
  readonly ip: string
  readonly port: number
}

/** What one attempt came to; a `problem` is worth another attempt. */
type Attempt = SetUpResult | { readonly kind: 'problem'; readonly problem: string }

/**
 * Connects to a model and creates its instance, with several attempts: models are announced before they listen, and an
 * earlier Setup may still be running. A Setup that was answered is final. Never rejects; leaves no connection behind
 * unless the model is ready.
 */
export async function setUpModel(
  address: ModelAddress,
  options: ResolvedOptions,
  signal: AbortSignal,
): Promise<SetUpResult> {
  const channel = openModelChannel(address.ip, address.port, options.maxOutputBytes)
  const abandon = () => channel.close()
  signal.addEventListener('abort', abandon)
  const result = await attemptSetups(channel, options, signal)
  signal.removeEventListener('abort', abandon)
  if (result.kind !== 'ready') channel.close()
  return result
}

async function attemptSetups(
  channel: ModelChannel,
  options: ResolvedOptions,
  signal: AbortSignal,
): Promise<SetUpResult> {
  let problem = ''
  for (let attempt = 0; attempt < options.setupAttempts; attempt += 1) {
    if (attempt > 0) await pauseUnlessAborted(options.setupBackoffMs * 2 ** (attempt - 1), signal)
    if (signal.aborted) return { kind: 'aborted' }
    const result = await attemptSetup(channel, options)
    if (signal.aborted) return { kind: 'aborted' }
    if (result.kind !== 'problem') return result
    problem = result.problem
  }
  const reason = `no Setup in ${options.setupAttempts} attempts: ${problem}`
  return { kind: 'failed', code: 'CONNECTION_FAILED', reason }
}

async function attemptSetup(channel: ModelChannel, options: ResolvedOptions): Promise<Attempt> {
  if (!(await channel.whenReady(options.connectTimeoutMs, { failFast: false }))) {
    return { kind: 'problem', problem: `no connection within ${options.connectTimeoutMs} ms` }
  }
  const outcome = await channel.setup(options.baseClassName, options.setupTimeoutMs)
  if (outcome.kind === 'answered') return readSetup(outcome.response, channel)
  const { code, details } = outcome
  if (code === status.DEADLINE_EXCEEDED) {
    return { kind: 'problem', problem: `Setup took longer than ${options.setupTimeoutMs} ms` }
  }
  return { kind: 'problem', problem: `Setup failed with ${status[code]}: ${details}` }
}

function readSetup(response: SetupResponse, channel: ModelChannel): SetUpResult {
  const code = response.status?.code ?? ''
  const reason = `Setup was answered with ${code || 'no status'}: ${response.status?.message || 'no message'}`
  switch (code) {
    case 'SUCCESS':
      return { kind: 'ready', channel }
    case 'INVALID_ARGUMENT':
      return { kind: 'misconfigured', reason }
    case 'BAD_IMPLEMENTATION':
      return { kind: 'failed', code, reason }
    default:
      return { kind: 'failed', code: 'MULTIPLE_FAILED', reason }
  }
}

/** An abort ends the pause; the caller looks at the signal anyway. */
async function pauseUnlessAborted(delayMs: number, signal: AbortSignal): Promise<void> {
  await pause(delayMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
