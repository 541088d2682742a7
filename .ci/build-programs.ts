// A global set-up of Vitest: builds the programs that tests start. When nothing has changed, it takes less than a second.
import { execFileSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools = join(root, 'node_modules', '.bin')

export default function buildPrograms(): void {
  execFileSync(join(tools, 'turbo'), ['run', 'build', '--output-logs=errors-only'], {
    cwd: root,
    env: { ...process.env, PATH: [tools, process.env.PATH].join(delimiter), TURBO_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
