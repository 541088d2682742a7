#!/usr/bin/env node
import { statSync } from 'node:fs'
import { errorText } from '@crunch/local-processes/errors'
import { DEFAULT_MODEL_RUNNER_PORT } from '@crunch/model-protocol'
import { Command, InvalidArgumentError, Option } from 'commander'
import { exitWithParent } from './exit-with-parent.ts'
import { createStderrLog, LOG_LEVELS, type LogLevel } from './runner-log.ts'
import { serveModel } from './serve.ts'

interface RunnerOptions {
  readonly codeDirectory: string
  readonly address: string
  readonly mainFile?: string
  readonly logLevel: LogLevel
  readonly exitWithParent?: boolean
}

const program = new Command('crunch-model-runner')
  .description('Hosts one TypeScript or JavaScript model behind the Crunch model protocol.')
  .addOption(
    new Option('--address <address>', 'where to listen: host:port (port 0 for a free port) or unix:PATH')
      .env('GRPC_ADDRESS')
      .default(`127.0.0.1:${DEFAULT_MODEL_RUNNER_PORT}`),
  )
  .addOption(
    new Option('--code-directory <folder>', 'the submission')
      .env('CODE_DIRECTORY')
      .default('/workspace/submission/code'),
  )
  .addOption(
    new Option('--resource-directory <folder>', 'accepted for compatibility, unused').env('RESOURCE_DIRECTORY'),
  )
  .addOption(new Option('--has-gpu', 'accepted for compatibility, unused').env('HAS_GPU'))
  .addOption(
    new Option('--main-file <file>', 'the entry file, if it is not main.ts, main.js or main.mjs').env('MAIN_FILE'),
  )
  .addOption(
    new Option('--log-level <level>', LOG_LEVELS.join(', ')).env('LOG_LEVEL').default('info').argParser(parseLogLevel),
  )
  .option('--exit-with-parent', 'end when stdin closes, so that no orphan outlives a killed parent')
  .action(run)

await program.parseAsync()

async function run(options: RunnerOptions): Promise<void> {
  const { codeDirectory, address, mainFile, logLevel } = options
  if (!statSync(codeDirectory, { throwIfNoEntry: false })?.isDirectory()) {
    program.error(`error: Directory '${codeDirectory}' does not exist: give --code-directory`, { exitCode: 2 })
  }
  if (options.exitWithParent) exitWithParent()
  const log = createStderrLog(logLevel)
  try {
    const { port } = await serveModel({ directory: codeDirectory, address, mainFile, log })
    process.stdout.write(`${JSON.stringify({ event: 'ready', port })}\n`)
  } catch (error) {
    program.error(`error: ${errorText(error)}`)
  }
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase())
  if (level !== undefined) return level
  throw new InvalidArgumentError(`Use one of ${LOG_LEVELS.join(', ')}.`)
}
