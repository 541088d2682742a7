import type { DeployRequest } from '../deploy/deployment-plan.ts'
import { prepareDeployment } from '../deploy/prepare-deployment.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Supervises a deployment in the background, until `crunch down` or SIGTERM. */
export async function supervise(request: DeployRequest, terminal: Terminal): Promise<void> {
  const { supervisor: options } = await prepareDeployment(request, terminal)
  const supervisor = await Supervisor.open(options)
  await Promise.race([supervisor.downRequested, aborted(terminal.signal)])
  await supervisor.stop()
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
