import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { CliProblem } from '../cli-error.ts'
import type { Workspace } from '../workspace.ts'

/** One wrong type causes errors in many places, so the first few are enough. */
const maxFindings = 20
/** Submissions and files that the node writes are not part of the contract. */
const notTheContract = /^(deployment|\.crunch|recordings)[\\/]/
const diagnostic = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/

/** The findings of a type check of the contract, or the reason why there was no check. */
export interface TypeCheck {
  readonly findings: readonly CliProblem[]
  readonly note: string | undefined
}

/** Checks the types of the contract and its imports, with TypeScript and `tsconfig.json` of the workspace. */
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
  // An error without a file concerns the installation, e.g. missing types of Node, not the contract.
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
      // With type errors, tsc exits with code 1 or 2 and prints them to stdout.
      if (error !== null && stdout === '') fail(new Error(`tsc failed: ${stderr || error.message}`, { cause: error }))
      else done(stdout)
    })
  })
}

/** Parses the output of `tsc --pretty false`. Only the first line of an error is used; its further lines are indented. */
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
