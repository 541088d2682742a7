import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { steadyNodeArguments, workerCommand } from './worker-command.ts'

const run = promisify(execFile)

it.each([
  { workers: ['feed-data', 'predict'] as const, nodeArguments: steadyNodeArguments },
  { workers: ['score'] as const, nodeArguments: [] },
])('starts $workers with the right Node arguments', async ({ workers, nodeArguments }) => {
  const { command, args } = workerCommand(workers)
  expect(args.filter((argument) => steadyNodeArguments.includes(argument))).toEqual(nodeArguments)
  // Node refuses unknown arguments.
  expect((await run(command, [...args, '--help'])).stdout).toContain('crunch-worker --workers')
})
