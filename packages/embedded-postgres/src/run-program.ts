import { type SpawnOptions, spawn } from 'node:child_process'

const OUTPUT_LIMIT_CHARACTERS = 8_192

/** How a program ended: `failure` is undefined if it exited with code 0. */
export interface ProgramResult {
  readonly output: string
  readonly failure: string | undefined
}

/**
 * The environment of PostgreSQL's programs: only the variables that they need. This process's environment may contain secrets, and
 * the server may outlive it and run as another user.
 */
export function programEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { TZ: 'UTC', LC_ALL: 'C' }
  for (const name of ['PATH', 'LD_LIBRARY_PATH', 'SYSTEMROOT', 'TEMP']) {
    const value = process.env[name]
    if (value !== undefined) environment[name] = value
  }
  return environment
}

/** Runs a program for at most `timeoutMs`; keeps the last 8 kB of its output. Never throws. */
export function runProgram(
  command: string,
  commandArguments: readonly string[],
  timeoutMs: number,
  options: SpawnOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(command, commandArguments, {
      env: programEnvironment(),
      windowsHide: true,
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT_CHARACTERS)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('error', (error) => resolve({ output, failure: error.message }))
    child.on('close', (status, signal) => {
      const failure = status === 0 ? undefined : `it ended with ${signal ?? `status ${status}`}`
      resolve({ output: output.trim(), failure })
    })
  })
}
