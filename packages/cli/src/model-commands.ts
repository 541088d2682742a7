import { type Command, Option } from 'commander'
import { parseCount } from './parse-options.ts'
import type { Terminal } from './terminal/terminal.ts'

interface AddFlags {
  readonly name?: string
  readonly cruncher?: string
  readonly organizer?: boolean
  readonly replace?: boolean
  readonly another?: boolean
  readonly wait: number
}

/** A Python submission may have to install its requirements before it starts. */
const defaultWaitSeconds = 300

/** `crunch models` and its subcommands. */
export function addModelCommands(program: Command, terminal: Terminal): void {
  const models = program
    .command('models')
    .description('list models with state, failures, latency and last error; add, start, stop and remove models')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (flags: { json?: true }, command: Command) => {
      const isVerbose = command.optsWithGlobals<{ verbose?: true }>().verbose === true
      await (await import('./commands/models.ts')).models({ json: flags.json === true, verbose: isVerbose }, terminal)
    })
  addChanges(models, terminal)
  addTest(models, terminal)
  models
    .command('logs')
    .description("show a model's output and the log of its preparation, even when nothing is deployed")
    .argument('<model>', 'id or name of the model')
    .option('-f, --follow', 'keep printing new lines')
    .option('-n, --lines <count>', 'number of past lines to print', parseCount, 200)
    .option('--json', 'print JSON')
    .action(async (model: string, flags: { follow?: true; lines: number }, command: Command) => {
      const { follow = false, lines } = flags
      // `crunch models` has the same flag, and commander gives it to the parent.
      const json = command.optsWithGlobals<{ json?: true }>().json === true
      await (await import('./commands/models.ts')).modelLogs({ model, follow, lines, json }, terminal)
    })
}

function addTest(models: Command, terminal: Terminal): void {
  models
    .command('test')
    .description('set up a model and run one round as the node would, without deploying it')
    .argument('<path>', 'a TypeScript, JavaScript or Python model folder, or a notebook')
    .option('--recording <file...>', 'CSV or NDJSON files, optionally gzipped (default: the files in node/recordings)')
    .option('--json', 'print JSON')
    .action(async (model: string, { recording: recordings }: { recording?: string[] }, command: Command) => {
      const { testModel } = await import('./commands/models-test.ts')
      const json = command.optsWithGlobals<{ json?: true }>().json === true
      await testModel({ model, recordings, json }, terminal)
    })
}

function addChanges(models: Command, terminal: Terminal): void {
  waitOption(models.command('add'))
    .description('add and start a submission: a folder with main.py, main.ts or main.js, or a notebook')
    .argument('<source>', 'the model folder or .ipynb file')
    .option('--name <name>', 'name of the model (default: the name of the folder)')
    .option('--cruncher <name>', 'the cruncher who owns the model')
    .option('--organizer', 'add it as a baseline of the organizer, neither ranked nor paid')
    .option(
      '--replace',
      'replace the code of the model with this name; the old code serves until the new code is ready',
    )
    .addOption(
      new Option('--another', 'add a model even if the cruncher already has one with this name').conflicts('replace'),
    )
    .action(async (source: string, flags: AddFlags) => {
      const { name, cruncher, organizer = false, replace = false, another = false, wait } = flags
      const { addModel } = await import('./commands/change-models.ts')
      await addModel({ source, name, cruncher, organizer, replace, another, waitMs: wait * 1_000 }, terminal)
    })
  waitOption(models.command('start'))
    .description('start a stopped model, or retry a quarantined one')
    .argument('<model>', 'id or name of the model')
    .action(async (model: string, { wait }: { wait: number }) =>
      (await import('./commands/change-models.ts')).startModel({ model, waitMs: wait * 1_000 }, terminal),
    )
  models
    .command('stop')
    .description('stop a model; it stays listed')
    .argument('<model>', 'id or name of the model')
    .action(async (model: string) => (await import('./commands/change-models.ts')).stopModel({ model }, terminal))
  models
    .command('reassign')
    .description('assign a model id to another cruncher; a new history begins, no scores carry over')
    .argument('<id>', 'model id as announced by the orchestrator')
    .requiredOption('--to <cruncher>', 'id of the new cruncher')
    .action(async (model: string, { to }: { to: string }) =>
      (await import('./commands/reassign-model.ts')).reassignModel({ model, to }, terminal),
    )
  models
    .command('remove')
    .description('stop a model and remove it from the list; its submission stays on disk')
    .argument('<model>', 'id or name of the model')
    .option('--yes', 'confirm the removal')
    .action(async (model: string, { yes: isConfirmed = false }: { yes?: boolean }) =>
      (await import('./commands/change-models.ts')).removeListedModel({ model, isConfirmed }, terminal),
    )
}

const examples = `
Examples:
  crunch models                              list all models; --verbose prints full errors
  crunch models test ./my-model              run one round before adding the model
  crunch models add ./my-model               a folder with main.py, main.ts or main.js
  crunch models add study.ipynb --name deep  a notebook
  crunch models add ./my-model --replace     replace the code of the model with the same name
  crunch models logs 3 -f                    follow the output of model 3`

function waitOption(command: Command): Command {
  return command.option(
    '--wait <seconds>',
    'how long to wait until the model serves, if the competition is deployed; 0 does not wait',
    parseCount,
    defaultWaitSeconds,
  )
}
