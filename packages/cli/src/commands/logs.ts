import { loggedServices } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { followLogs } from '../logs/follow-logs.ts'
import { formatLogEntry } from '../logs/log-entry.ts'
import { readLogs, type ServiceEntry } from '../logs/read-logs.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

/** Which logs to show, and how many past lines. */
export interface LogsOptions {
  /** Empty: all services. */
  readonly services: readonly string[]
  readonly follow: boolean
  readonly lines: number
  readonly json: boolean
}

const aliases: Readonly<Record<string, string>> = {
  database: 'postgres',
  'feed-data': 'predict',
  checkpoint: 'score',
  orchestrator: 'models',
  'model-orchestrator': 'models',
}

/** Prints logs merged by time; with `follow`, prints new lines until Ctrl-C. */
export async function logs(options: LogsOptions, terminal: Terminal): Promise<void> {
  const { logDirectory } = findWorkspace(terminal.cwd)
  const services = chooseServices(await loggedServices(logDirectory), options.services)
  const show = (entries: readonly ServiceEntry[]): void => {
    for (const { service, entry } of entries) {
      terminal.out(
        options.json
          ? JSON.stringify({ service, ...entry, fields: undefined, ...entry.fields })
          : formatLogEntry(service, entry),
      )
    }
  }
  if (!options.follow) {
    show(await readLogs(logDirectory, services, options.lines))
    return
  }
  await followLogs(logDirectory, services, show, terminal.signal, options.lines)
}

function chooseServices(known: readonly string[], asked: readonly string[]): readonly string[] {
  if (known.length === 0) throw noLog('crunch logs', 'deploy the competition first: crunch deploy')
  const names = asked.map((name) => aliases[name] ?? name)
  const missing = names.findIndex((name) => !known.includes(name))
  if (missing !== -1) throw noLog(`service ${JSON.stringify(asked[missing])}`, `name one of: ${known.join(', ')}`)
  return names.length === 0 ? known : [...new Set(names)]
}

function noLog(place: string, fix: string): CliError {
  return new CliError({ place, cause: 'there is no log of it', fix })
}
