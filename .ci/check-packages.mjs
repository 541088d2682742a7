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

try {
  for (const name of readdirSync('packages')) {
    const manifest = JSON.parse(readFileSync(join('packages', name, 'package.json'), 'utf8'))
    if (manifest.private) continue
    const packed = execFileSync('pnpm', ['pack', '--json', '--pack-destination', folder], {
      cwd: join('packages', name),
      encoding: 'utf8',
    })
    const tarball = JSON.parse(packed.slice(packed.indexOf('{'))).filename
    check(`${manifest.name}: publint`, join('node_modules', 'publint', 'src', 'cli.js'), ['run', tarball, '--strict'])
    const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json')
    if (entries.length === 0) continue
    check(`${manifest.name}: types`, join('node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js'), [
      tarball,
      '--profile',
      'esm-only',
    ])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
