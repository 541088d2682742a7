#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import colors from 'picocolors'
import { CreateError } from './create-error.ts'
import { createWorkspace } from './create-workspace.ts'
import { nextCommands } from './next-commands.ts'
import { type Flags, packageManagers, resolveOptions } from './options.ts'
import { listPacks, type Pack } from './packs.ts'

// Both dist/ and src/ are direct subfolders of the package.
const templates = fileURLToPath(new URL('../templates', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

async function main(): Promise<void> {
  const packs = listPacks(templates)
  await new Command('create-crunch')
    .description('Creates the workspace of a new competition.')
    .version(version)
    .argument('[name]', 'name of the competition: a to z, 0 to 9 and hyphens; or a folder with such a name, e.g. .')
    .option('--pack <pack>', `kind of competition: ${packs.map((pack) => pack.name).join(', ')}`)
    .option('--directory <folder>', 'where to create it: a new or empty folder; default: a folder of that name')
    .option('--yes', 'do not ask; use the defaults')
    .option('--install', 'install its packages')
    .option('--package-manager <program>', packageManagers.join(' or '), 'npm')
    .option('--local-packages <folder>', 'install the packages of Crunch from the crunch-*.tgz files of a folder')
    .action((name: string | undefined, flags: Flags) => run(name, flags, packs))
    .parseAsync()
}

async function run(name: string | undefined, flags: Flags, packs: readonly Pack[]): Promise<void> {
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && flags.yes !== true
  const options = await resolveOptions(name, flags, packs, interactive)
  const interruption = new AbortController()
  // Ctrl-C also ends children such as npm; this process keeps running to remove the created files.
  const interrupt = () => interruption.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  await createWorkspace(options, templates, version, interruption.signal, (title) =>
    console.log(colors.dim(`- ${title}`)),
  )
  console.log(`\n${colors.green('Created')} ${options.name} (${options.pack.title}) in ${options.directory}`)
  console.log('\nNext:\n')
  for (const command of nextCommands(options, process.cwd())) console.log(`  ${colors.bold(command)}`)
}

main().catch((error: unknown) => {
  if (error instanceof CreateError) console.error(`${colors.red('Error:')} ${error.message}`)
  else console.error(error)
  process.exitCode = 1
})
