import { exitWithParentArguments } from '../self-command.ts'
import type { ServiceDefinition } from './service-definition.ts'
import { Supervisor } from './supervisor.ts'

/** A service that runs JavaScript code in a separate process. The code calls `ready()` when it serves. */
export function scriptService(
  name: string,
  script: string,
  options: { readonly after?: readonly string[]; readonly endsWithParent?: boolean } = {},
): ServiceDefinition {
  const say = 'const say = (line) => console.log(JSON.stringify({ level: 30, time: Date.now(), msg: "", ...line }));'
  const ready = 'const ready = () => say({ msg: "serving", event: "ready" });'
  const parentArguments = options.endsWithParent === true ? exitWithParentArguments() : []
  return {
    name,
    aliases: [`${name}-alias`],
    after: options.after ?? [],
    command: (provided) => ({
      command: process.execPath,
      args: [...parentArguments, '-e', `${say}${ready}${script}`],
      cwd: process.cwd(),
      env: { PATH: process.env.PATH ?? '', ...provided },
    }),
  }
}

/** Serves until SIGTERM. */
export const servingScript = 'ready(); setInterval(() => {}, 1000);'
/** Serves and ignores SIGTERM. */
export const stubbornScript = 'process.on("SIGTERM", () => {}); ready(); setInterval(() => {}, 1000);'

// As a program, this file runs a supervisor that a test can kill.
const [, , role, stateDirectory] = process.argv
if (role === 'supervise' && stateDirectory !== undefined) {
  const services = [
    scriptService('polite', servingScript, { endsWithParent: true }),
    // This service does not notice the death of its supervisor; the next start ends it.
    scriptService('stubborn', stubbornScript),
  ]
  const supervisor = await Supervisor.open({
    stateDirectory,
    services,
    apiUrl: 'http://127.0.0.1:1',
    modelsUrl: null,
    mode: 'live',
  })
  supervisor.onChange(() => {
    const states = supervisor.status().services
    if (states.every(({ state }) => state === 'ready')) console.log(JSON.stringify(states.map(({ pid }) => pid)))
  })
}
