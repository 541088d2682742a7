import { CliError } from '../cli-error.ts'
import { followLogs } from '../logs/follow-logs.ts'
import { formatLogEntry } from '../logs/log-entry.ts'
import { loggedServices, readLogs, type ServiceEntry } from '../logs/read-logs.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

/** Which logs, and how many of their past lines. */
export interface LogsOptions {
  readonly service: string | undefined
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

/** Shows logs merged by time; with `follow` goes on until the operator ends it. */
export async function logs(options: LogsOptions, terminal: Terminal): Promise<void> {
  const { logDirectory } = findWorkspace(terminal.cwd)
  const services = chooseServices(await loggedServices(logDirectory), options.service)
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

function chooseServices(known: readonly string[], asked: string | undefined): readonly string[] {
  if (asked === undefined && known.length > 0) return known
  const name = asked === undefined ? undefined : (aliases[asked] ?? asked)
  if (name !== undefined && known.includes(name)) return [name]
  throw new CliError({
    place: asked === undefined ? 'crunch logs' : `service ${JSON.stringify(asked)}`,
    cause: 'there is no log of it',
    fix: known.length === 0 ? 'deploy the competition first: crunch deploy' : `name one of: ${known.join(', ')}`,
  })
}
