#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { CrunchError } from './domain/errors.ts'
import { type WorkerName, workerNames } from './live/workers/worker-context.ts'
import { runWorkerProcess } from './live/workers/worker-process.ts'

const usage = `crunch-worker --workers ${workerNames.join(',')} [--contract contract.ts]

Runs workers of a Crunch coordinator node in this process; settings come from the environment.`

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: workerNames.join(',') },
    contract: { type: 'string', default: 'contract.ts' },
    'exit-with-parent': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) console.log(usage)
else {
  process.exitCode = await runWorkerProcess({
    workers: workersFrom(values.workers),
    contractPath: values.contract,
    exitWithParent: values['exit-with-parent'],
  })
  // A participant's hanging connection must not hold up the end of a process that has drained.
  process.exit()
}

function workersFrom(list: string): WorkerName[] {
  return list.split(',').map((name) => {
    const known = workerNames.find((worker) => worker === name.trim())
    if (known === undefined) {
      throw new CrunchError(
        'BAD_REQUEST',
        `--workers: there is no worker "${name}"; there are ${workerNames.join(', ')}`,
      )
    }
    return known
  })
}
