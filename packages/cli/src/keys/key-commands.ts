import type { Command } from 'commander'
import type { Terminal } from '../terminal/terminal.ts'

/** `crunch keys` and its subcommands. */
export function addKeyCommands(program: Command, terminal: Terminal): void {
  const keys = program
    .command('keys')
    .description('create, list, rotate and revoke keys of the report API, also while the node is down')
    .addHelpText('after', examples)
  keys
    .command('create')
    .description('create a key and print it; it is shown only once')
    .argument('<name>', 'name of the key')
    .requiredOption('--scope <scope>', 'read, admin, or participant:CRUNCHER (what belongs to that cruncher id)')
    .option('--json', 'print JSON')
    .action(async (name: string, { scope, json = false }: { scope: string; json?: boolean }) =>
      (await import('./manage-keys.ts')).createKey({ name, scope, json }, terminal),
    )
  keys
    .command('list')
    .description('list the valid keys, without their secrets')
    .option('--all', 'also list keys that have ended')
    .option('--json', 'print JSON')
    .action(async ({ json = false, all = false }: { json?: boolean; all?: boolean }) =>
      (await import('./manage-keys.ts')).listKeys({ json, all }, terminal),
    )
  keys
    .command('rotate')
    .description('replace a key by a new one with the same name and scope, and print it')
    .argument('<name>', 'name of the key')
    .option('--overlap <duration>', 'how long the old key stays valid, e.g. 24h; 0 ends it at once', '24h')
    .option('--json', 'print JSON')
    .action(async (name: string, { overlap, json = false }: { overlap: string; json?: boolean }) =>
      (await import('./manage-keys.ts')).rotateKey({ name, overlap, json }, terminal),
    )
  keys
    .command('revoke')
    .description('end all keys with a name; a running node refuses them within seconds')
    .argument('<name>', 'name of the keys')
    .action(async (name: string) => (await import('./manage-keys.ts')).revokeKey({ name }, terminal))
}

const examples = `
Examples:
  crunch keys create payout --scope admin
  crunch keys create alice --scope participant:alice
  crunch keys rotate payout --overlap 1h       the old key works for another hour
  crunch keys revoke alice`
