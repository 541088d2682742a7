import { setTimeout as delay } from 'node:timers/promises'
import { CHANNEL_OPTIONS, HealthCheckRequest, HealthClient, ServingStatus } from '@crunch/model-protocol'
import { credentials, Metadata } from '@grpc/grpc-js'

const CHECK_DEADLINE_MS = 1_000
const CHECK_PAUSE_MS = 50

/**
 * Resolves when the health service at `address` answers SERVING, as runners in every language do. Polls until `signal`
 * aborts, then rejects with its reason.
 */
export async function awaitServing(address: string, signal: AbortSignal): Promise<void> {
  const client = new HealthClient(address, credentials.createInsecure(), {
    ...CHANNEL_OPTIONS,
    'grpc.initial_reconnect_backoff_ms': CHECK_PAUSE_MS,
    'grpc.max_reconnect_backoff_ms': 250,
  })
  try {
    while (!(await answersServing(client))) {
      signal.throwIfAborted()
      await delay(CHECK_PAUSE_MS, undefined, { signal })
    }
  } finally {
    client.close()
  }
}

/**
 * False for every error: any may occur while a runner starts, and the exit of the process shows the reason.
 */
function answersServing(client: HealthClient): Promise<boolean> {
  return new Promise((resolve) => {
    client.check(
      HealthCheckRequest.create(),
      new Metadata(),
      { deadline: Date.now() + CHECK_DEADLINE_MS },
      (error, response) => resolve(error === null && response.status === ServingStatus.SERVING),
    )
  })
}
