import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { CliProblem } from '../cli-error.ts'
import type { Workspace } from '../workspace.ts'

/** More would not help: one wrong type shows in many places. */
const maxFindings = 20
/** Submissions and what the node writes are no part of the contract. */
const notTheContract = /^(deployment|\.crunch|recordings)[\\/]/
const diagnostic = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/

/** What a type check of the contract found, or why there was none. */
export interface TypeCheck {
  readonly findings: readonly CliProblem[]
  readonly note: string | undefined
}

/** Checks the types of the contract and of what it imports, with the TypeScript and the options of the workspace. */
export async function checkTypes({ nodeDirectory, contractPath }: Workspace, signal: AbortSignal): Promise<TypeCheck> {
  const skipped = (why: string): TypeCheck => ({
    findings: [],
    note: `The types of the contract are not checked: ${why}.`,
  })
  if (!/\.m?ts$/.test(contractPath)) return skipped('it is JavaScript')
  if (!existsSync(join(nodeDirectory, 'tsconfig.json'))) return skipped(`${nodeDirectory} has no tsconfig.json`)
  const compiler = findCompiler(nodeDirectory)
  if (compiler === undefined) return skipped('the workspace has no TypeScript; add it with: npm install -D typescript')
  const output = await run([compiler, '--noEmit', '--pretty', 'false', '-p', 'tsconfig.json'], nodeDirectory, signal)
  // Without a file it is about the installation, such as types of Node that are not there, and not about the contract.
  const installation = /^error TS\d+: .*$/m.exec(output)?.[0]
  const note = installation === undefined ? undefined : `TypeScript in ${nodeDirectory}: ${installation}`
  return { findings: readDiagnostics(output, nodeDirectory), note }
}

function findCompiler(nodeDirectory: string): string | undefined {
  try {
    const manifest = createRequire(join(nodeDirectory, 'package.json')).resolve('typescript/package.json')
    return join(dirname(manifest), 'bin/tsc')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

function run(args: readonly string[], cwd: string, signal: AbortSignal): Promise<string> {
  return new Promise((done, fail) => {
    execFile(process.execPath, [...args], { cwd, signal, maxBuffer: 64 * 1_048_576 }, (error, stdout, stderr) => {
      // Findings are exit code 1 or 2, with the findings on stdout.
      if (error !== null && stdout === '') fail(new Error(`tsc failed: ${stderr || error.message}`, { cause: error }))
      else done(stdout)
    })
  })
}

/** Findings of `tsc --pretty false`, whose first lines say all; the others of a finding are indented. */
export function readDiagnostics(output: string, nodeDirectory: string): readonly CliProblem[] {
  const all = output.split(/\r?\n/).flatMap((line) => {
    const [, file = '', number = '', text = ''] = diagnostic.exec(line) ?? []
    return file === '' || notTheContract.test(file)
      ? []
      : [{ place: `${resolve(nodeDirectory, file)}:${number}`, text }]
  })
  const fix = 'correct it; the whole message: npx tsc --noEmit in the folder of the contract'
  return all.slice(0, maxFindings).map(({ place, text }) => ({ place, cause: text, fix }))
}
