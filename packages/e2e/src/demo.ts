// npm run demo [-- --once] [-- --recording FILE]: the main job as a user would run it, on a real recording.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { freePort } from './free-port.ts'
import { createUserWorkspace } from './workspace.ts'

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, recording: { type: 'string' }, speed: { type: 'string' } },
})

const recording = values.recording === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', values.recording)
if (recording !== undefined && !existsSync(recording)) {
  console.error(`Error: there is no recording ${recording}: check the path behind --recording`)
  process.exit(1)
}

// Ctrl-C reaches the node as well and ends it; this process stays to remove the workspace.
let interrupted = false
const onSignal = () => {
  interrupted = true
}
process.on('SIGINT', onSignal).on('SIGTERM', onSignal)

const workspace = await createUserWorkspace(recording === undefined ? 'weather' : 'realtime', 'demo', (step) =>
  console.log(`- ${step}`),
)
try {
  if (!interrupted) process.exitCode = await deploy()
} finally {
  await workspace.remove()
}

async function deploy(): Promise<number> {
  const args = ['deploy', '--replay', ...(recording === undefined ? [] : [recording])]
  if (values.once) args.push('--once')
  if (values.speed !== undefined) args.push('--speed', values.speed)
  const env = { REPORT_API_PORT: `${await freePort(8000)}`, MODEL_RUNNER_NODE_PORT: `${await freePort(9091)}` }
  console.log(`- crunch ${args.join(' ')}`)
  const child = execa(workspace.crunch, args, { cwd: workspace.directory, env, stdio: 'inherit', reject: false })
  const { exitCode } = await child
  return interrupted ? 0 : (exitCode ?? 1)
}
