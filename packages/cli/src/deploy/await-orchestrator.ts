import { connect } from 'node:net'
import { wait } from '@crunch/local-processes'
import type { Terminal } from '../terminal/terminal.ts'

const pollMs = 250
const connectTimeoutMs = 5_000

/**
 * Waits until an orchestrator that another program starts is listening. Otherwise the rounds of a replay, or the first rounds of
 * a live node, would have no models. Returns false if the operator ended the wait.
 */
export async function awaitOrchestrator(
  { host, port }: { readonly host: string; readonly port: number },
  terminal: Pick<Terminal, 'err' | 'signal'>,
): Promise<boolean> {
  let shown = ''
  while (!terminal.signal.aborted) {
    const problem = await tryToConnect(host, port)
    if (problem === null) return true
    if (problem !== shown) {
      const where = `${host}:${port} (MODEL_RUNNER_NODE_HOST, MODEL_RUNNER_NODE_PORT)`
      terminal.err(`Waiting for the model orchestrator at ${where}: ${problem}`)
    }
    shown = problem
    await wait(pollMs, terminal.signal)
  }
  return false
}

/** Null if a program listens there; else the reason of the failed connection. */
function tryToConnect(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs })
    const end = (problem: string | null) => {
      socket.destroy()
      resolve(problem)
    }
    socket.once('connect', () => end(null))
    socket.once('timeout', () => end(`no answer within ${connectTimeoutMs / 1_000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}
