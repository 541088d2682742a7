import type { Command } from 'commander'
import { parseCount } from './parse-options.ts'
import type { Terminal } from './terminal.ts'

interface AddFlags {
  readonly name?: string
  readonly cruncher?: string
  readonly organizer?: boolean
  readonly replace?: boolean
  readonly wait: number
}

/** A Python submission may have to install its requirements first. */
const defaultWaitSeconds = 300

/** `crunch models` and what it can do. */
export function addModelCommands(program: Command, terminal: Terminal): void {
  const models = program
    .command('models')
    .description('the models with state, failures, latency and last error; add, start, stop and remove them')
    .option('--json', 'for programs')
    .addHelpText('after', examples)
    .action(async (flags: { json?: true }, command: Command) => {
      const isVerbose = command.optsWithGlobals<{ verbose?: true }>().verbose === true
      await (await import('./commands/models.ts')).models({ json: flags.json === true, verbose: isVerbose }, terminal)
    })
  addChanges(models, terminal)
  addTest(models, terminal)
  models
    .command('logs')
    .description('what a model has printed, with what prepared and started it; also while nothing is deployed')
    .argument('<model>', 'its id or name')
    .option('-f, --follow', 'go on with what is logged from now on')
    .option('-n, --lines <count>', 'how many lines of the past', parseCount, 200)
    .option('--json', 'for programs')
    .action(async (model: string, flags: { follow?: true; lines: number }, command: Command) => {
      const { follow = false, lines } = flags
      // The parent has the flag too, and takes it.
      const json = command.optsWithGlobals<{ json?: true }>().json === true
      await (await import('./commands/models.ts')).modelLogs({ model, follow, lines, json }, terminal)
    })
}

function addTest(models: Command, terminal: Terminal): void {
  models
    .command('test')
    .description('set a model up and ask it once, as a node would, before anything is deployed')
    .argument('<path>', 'the folder of a model in TypeScript, JavaScript or Python, or a notebook')
    .option('--recording <file...>', 'CSV or NDJSON, also .gz; by default those of node/recordings')
    .option('--json', 'for programs')
    .action(async (model: string, { recording: recordings }: { recording?: string[] }, command: Command) => {
      const { testModel } = await import('./commands/models-test.ts')
      const json = command.optsWithGlobals<{ json?: true }>().json === true
      await testModel({ model, recordings, json }, terminal)
    })
}

function addChanges(models: Command, terminal: Terminal): void {
  waitOption(models.command('add'))
    .description('copy a submission in and run it: a folder with main.py, main.ts or main.js, or a notebook')
    .argument('<source>', 'the folder, or the .ipynb file')
    .option('--name <name>', 'name of the model; by default that of the folder')
    .option('--cruncher <name>', 'whose it is')
    .option('--organizer', "it is the organizer's: a baseline, which is neither ranked nor paid")
    .option('--replace', 'give the model of that name new code; it serves with the old until the new is ready')
    .action(async (source: string, { name, cruncher, organizer = false, replace = false, wait }: AddFlags) => {
      const { addModel } = await import('./commands/change-models.ts')
      await addModel({ source, name, cruncher, organizer, replace, waitMs: wait * 1_000 }, terminal)
    })
  waitOption(models.command('start'))
    .description('run a model that was stopped, or that was set aside after too many failures')
    .argument('<model>', 'its id or name')
    .action(async (model: string, { wait }: { wait: number }) =>
      (await import('./commands/change-models.ts')).startModel({ model, waitMs: wait * 1_000 }, terminal),
    )
  models
    .command('stop')
    .description('stop a model; it stays in the list')
    .argument('<model>', 'its id or name')
    .action(async (model: string) => (await import('./commands/change-models.ts')).stopModel({ model }, terminal))
  models
    .command('reassign')
    .description('give a model id to another cruncher, with a new history: nothing that was scored is inherited')
    .argument('<id>', 'the id that the orchestrator announces')
    .requiredOption('--to <cruncher>', 'the id of the cruncher')
    .action(async (model: string, { to }: { to: string }) =>
      (await import('./commands/reassign-model.ts')).reassignModel({ model, to }, terminal),
    )
  models
    .command('remove')
    .description('stop a model and take it out of the list; its submission stays on the disk')
    .argument('<model>', 'its id or name')
    .option('--yes', 'really')
    .action(async (model: string, { yes: isConfirmed = false }: { yes?: boolean }) =>
      (await import('./commands/change-models.ts')).removeListedModel({ model, isConfirmed }, terminal),
    )
}

const examples = `
Examples:
  crunch models                              all of them; --verbose shows whole errors
  crunch models test ./my-model              what a round would record of it, before it is added
  crunch models add ./my-model               a folder with main.py, main.ts or main.js
  crunch models add study.ipynb --name deep  a notebook
  crunch models add ./my-model --replace     new code for the model of the same name
  crunch models logs 3 -f                    what model 3 prints`

function waitOption(command: Command): Command {
  return command.option(
    '--wait <seconds>',
    'how long to wait until it serves, where the competition is deployed; 0: not at all',
    parseCount,
    defaultWaitSeconds,
  )
}
