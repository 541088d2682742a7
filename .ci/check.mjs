// Runs the checks that are not tests: lint, types, dead code, and the packages as users get them. They are independent, and
// most use one core, so they run side by side; the output of each is shown when it ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const checks = {
  lint: ['biome check .'],
  types: ['npm run --silent types'],
  'dead code': ['knip'],
  packages: ['turbo run build --output-logs=errors-only', 'node .ci/check-packages.mjs'],
}

const codes = await Promise.all(
  Object.entries(checks).map(async ([name, commands]) => {
    const child = spawn(commands.join(' && '), { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
    const [code] = await once(child, 'close')
    process.stdout.write(`== ${name}: ${code === 0 ? 'ok' : `FAILED (exit code ${code})`}\n${Buffer.concat(output)}`)
    return code
  }),
)
process.exit(codes.every((code) => code === 0) ? 0 : 1)
