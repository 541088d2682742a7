import { setTimeout } from 'node:timers/promises'
import { printableLines } from '@crunch/local-processes'
import type { ServiceStatus } from '../supervisor/service-definition.ts'
import type { Terminal } from '../terminal/terminal.ts'

const titles: Readonly<Record<string, string>> = {
  postgres: 'database',
  models: 'models',
  score: 'scoring and checkpoints',
  report: 'report API',
  predict: 'feed and predictions',
}

/** Shows the start of the services: on a terminal as a list that is redrawn, elsewhere as plain lines. */
export interface StartView {
  update(services: readonly ServiceStatus[]): void
  /** Ends the view; `isReady` is false if the start failed or was aborted. */
  close(isReady: boolean): Promise<void>
}

export async function openStartView(terminal: Terminal): Promise<StartView> {
  return terminal.isInteractive ? openTaskList() : openPlainView(terminal)
}

function openPlainView(terminal: Terminal): StartView {
  const seen = new Map<string, string>()
  return {
    update(services) {
      for (const { name, state, lastError } of services) {
        if (seen.get(name) === state || state === 'waiting') continue
        seen.set(name, state)
        const why = state === 'backing-off' || state === 'failed' ? `: ${lastError}` : ''
        terminal.out(`${titleOf(name)}: ${state}${why}`)
      }
    },
    close: async () => undefined,
  }
}

async function openTaskList(): Promise<StartView> {
  const { Listr } = await import('listr2')
  let services: readonly ServiceStatus[] = []
  let isClosed = false
  let hasServices: () => void = () => undefined
  const known = new Promise<void>((resolve) => {
    hasServices = resolve
  })
  const running = known.then(() =>
    new Listr(
      services.map(({ name }) => ({
        title: titleOf(name),
        task: async (_: unknown, task: { title: string }) => {
          for (;;) {
            const service = services.find((candidate) => candidate.name === name)
            if (service?.state === 'ready') return
            if (service?.state === 'failed') throw new Error(shown(service.lastError) ?? 'it cannot start')
            if (isClosed) throw new Error('not started')
            task.title =
              service?.state === 'backing-off' ? `${titleOf(name)}: ${shown(service.lastError)}` : titleOf(name)
            await setTimeout(100)
          }
        },
      })),
      { concurrent: true, exitOnError: false },
    ).run(),
  )
  return {
    update(current) {
      services = current
      hasServices()
    },
    async close() {
      isClosed = true
      hasServices()
      await running
    },
  }
}

/** The list is drawn by a library that writes to the terminal directly. */
function shown(error: string | null): string | undefined {
  return error === null ? undefined : printableLines(error)
}

function titleOf(name: string): string {
  return titles[name] ?? name
}
