// Packs every published package and checks the tarball as its users get it: its exports, its types, its files.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'crunch-pack-'))
let failed = false

function check(name, command, args) {
  const result = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' })
  const ok = result.status === 0
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
  if (!ok) console.error(`${result.stdout}${result.stderr}`)
  failed ||= !ok
}

const manifests = readdirSync('packages')
  .map((name) => JSON.parse(readFileSync(join('packages', name, 'package.json'), 'utf8')))
  .filter((manifest) => !manifest.private)

try {
  const filters = manifests.map(({ name }) => `--filter=${name}`)
  execFileSync('pnpm', [...filters, 'pack', '--pack-destination', folder])
  for (const { name, version, exports } of manifests) {
    const tarball = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
    check(`${name}: publint`, join('node_modules', 'publint', 'src', 'cli.js'), ['run', tarball, '--strict'])
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json')
    if (entries.length === 0) continue
    check(`${name}: types`, join('node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js'), [
      tarball,
      '--profile',
      'esm-only',
    ])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
