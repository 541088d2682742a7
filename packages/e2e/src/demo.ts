// npm run demo [-- --once] [-- --keep] [-- --recording FILE]: the main job as a user would run it, on a real recording.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { freePort } from './free-port.ts'
import { createUserWorkspace, type UserWorkspace, useWorkspace } from './workspace.ts'

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    recording: { type: 'string' },
    speed: { type: 'string' },
  },
})

const recording = values.recording === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', values.recording)
if (recording !== undefined && !existsSync(recording)) {
  console.error(`Error: there is no recording ${recording}: check the path given with --recording`)
  process.exit(1)
}

// Ctrl-C also reaches and ends the node; this process continues in order to remove the workspace.
const ending = new AbortController()
process.on('SIGINT', () => ending.abort('SIGINT'))
process.on('SIGTERM', () => ending.abort('SIGTERM'))
process.on('SIGHUP', () => ending.abort('SIGTERM'))

// Writing to a closed terminal fails; cleaning up continues.
process.stdout.on('error', () => ending.abort('SIGTERM'))
process.stderr.on('error', () => ending.abort('SIGTERM'))

try {
  process.exitCode = await runDemo()
} catch (error) {
  if (!ending.signal.aborted) throw error
  console.error('interrupted before it ran')
  process.exitCode = 130
}

async function runDemo(): Promise<number> {
  const pack = recording === undefined ? 'weather' : 'realtime'
  const workspace = await createUserWorkspace(pack, 'demo', { onStep: (step) => console.log(`- ${step}`) })
  return useWorkspace(workspace, { keep: values.keep, log: (text) => console.log(text) }, async () =>
    ending.signal.aborted ? 0 : deploy(workspace),
  )
}

async function deploy(workspace: UserWorkspace): Promise<number> {
  const args = ['deploy', '--replay', ...(recording === undefined ? [] : [recording])]
  if (values.once) args.push('--once')
  if (values.speed !== undefined) args.push('--speed', values.speed)
  const env = {
    REPORT_API_PORT: `${await freePort(8000)}`,
    MODEL_RUNNER_NODE_PORT: `${await freePort(9091)}`,
    MODEL_ORCHESTRATOR_HTTP_PORT: `${await freePort(8001)}`,
  }
  console.log(`- crunch ${args.join(' ')}`)
  const node = execa(workspace.crunch, args, { cwd: workspace.directory, env, stdio: 'inherit', reject: false })
  // Ctrl-C was sent to all processes of the terminal; other signals only to this process.
  ending.signal.addEventListener('abort', () => {
    if (ending.signal.reason === 'SIGTERM') node.kill('SIGTERM')
  })
  const { exitCode } = await node
  // Without --once, the demo only ends by a signal.
  return ending.signal.aborted && !values.once ? 0 : (exitCode ?? 1)
}
