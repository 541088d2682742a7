import { errorText } from '@crunch/local-processes/errors'
import type { ProcessGuard } from '../../process/process-guard.ts'
import { runProgram } from '../../process/run-program.ts'
import { RunFailure } from '../../run-failure.ts'
import { type IndexSettings, readIndexSettings } from './index-settings.ts'
import { operatorEnvironment } from './install-environment.ts'

const LIMIT_MS = 60_000
/** The default index in pip's help. */
const DEFAULT_INDEX = /--index-url <url> .*?\(default (https?:\/\/[^\s)]+)\)/

/**
 * The package indexes that pip would use for the operator. `python` must contain no code of a submission, because it runs with
 * the operator's rights to read the operator's configuration. Throws `BUILD_FAILED`.
 */
export function readOperatorIndex(input: {
  readonly python: string
  readonly source: NodeJS.ProcessEnv
  readonly guard: ProcessGuard
  readonly signal: AbortSignal
}): Promise<IndexSettings> {
  const { python, source, guard, signal } = input
  const environment = { ...operatorEnvironment(source), PIP_DISABLE_PIP_VERSION_CHECK: '1', COLUMNS: '1000' }
  async function pip(...args: readonly string[]): Promise<readonly string[]> {
    const errors: string[] = []
    const onLine = (line: string, error: boolean) => void (error && errors.push(line))
    const program = { command: python, args: ['-I', '-m', 'pip', ...args], directory: '/', environment }
    const end = await runProgram({ ...program, limitMs: LIMIT_MS, signal, guard, onLine }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw new RunFailure('BUILD_FAILED', `pip's configuration cannot be read: ${errorText(error)}`, { cause: error })
    })
    if (end.code === 0) return end.stdout
    const why = end.isLate ? `no answer within ${LIMIT_MS} ms` : errors.slice(-3).join(' ')
    throw new RunFailure(
      'BUILD_FAILED',
      `"${python} -m pip ${args.join(' ')}" failed (${why}); repair pip or its configuration`,
    )
  }
  const defaultIndex = async () => {
    const found = DEFAULT_INDEX.exec((await pip('install', '--help')).join(' ').replace(/\s+/g, ' '))?.[1]
    if (found !== undefined) return found
    throw new RunFailure('BUILD_FAILED', 'pip does not report which package index it uses; set one in PIP_INDEX_URL')
  }
  return pip('config', 'list').then((pipSettings) => readIndexSettings({ pipSettings, source, defaultIndex }))
}
