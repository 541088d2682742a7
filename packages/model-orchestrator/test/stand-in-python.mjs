#!/usr/bin/env node
// A stand-in for python, venv and pip that needs no network. It appends every call to the file CALLS in HOME. The file
// BEHAVIOUR there sets its version, how long an installation takes, and how it fails.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)
const home = '@HOME@'
const args = process.argv.slice(2).filter((word) => word !== '-I')
const behaviour = JSON.parse(readFileSync(join(home, 'BEHAVIOUR'), 'utf8'))
const note = (call) => appendFileSync(join(home, 'CALLS'), `${JSON.stringify({ ...call, env: process.env })}\n`)

if (args[0] === '-c') {
  console.log(JSON.stringify([behaviour.version ?? [3, 11, 7], join(home, 'python3'), behaviour.hasPip ?? true]))
} else if (args[1] === 'venv') {
  const target = args.at(-1)
  note({ call: 'venv', args, hadLeftovers: existsSync(join(target, 'leftover')) })
  mkdirSync(join(target, 'bin'), { recursive: true })
  cpSync(self, join(target, 'bin', 'python'))
  cpSync(join(home, 'package.json'), join(target, 'bin', 'package.json'))
} else if (args[1] === 'pip' && args[2] === 'config') {
  for (const line of behaviour.pipSettings ?? []) console.log(line)
} else if (args[1] === 'pip' && args.includes('--help')) {
  console.log(
    '  -i, --index-url <url>  Base URL of the index (default\n    http://127.0.0.1:9/simple). This should point',
  )
} else if (args[1] === 'pip') {
  note({ call: 'pip', args, packages: readFileSync(args.at(-1), 'utf8').trim().split('\n') })
  writeFileSync(join(home, 'INSTALLING'), String(process.pid))
  if (behaviour.waitsFor)
    while (!existsSync(join(home, behaviour.waitsFor))) await new Promise((go) => setTimeout(go, 20))
  for (const line of behaviour.prints ?? []) console.error(line)
  if (behaviour.exitCode) process.exit(behaviour.exitCode)
  const target = args[2] === '--python' ? args[3] : self
  writeFileSync(join(dirname(target), 'model-runner'), '')
}
