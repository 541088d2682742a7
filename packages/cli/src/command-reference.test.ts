import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Argument, Command, Option } from 'commander'
import { describe, expect, test } from 'vitest'
import { testTerminal } from './run-cli.fixture.ts'
import { createProgram } from './run-cli.ts'

const page = fileURLToPath(new URL('../../../docs/reference/commands.md', import.meta.url))

const introduction = `# Commands

Generated from the command definitions in \`packages/cli/src\` by \`npm run reference\`. Do not edit.

Exit codes: 0 success, 1 failure, 2 wrong usage.
`

/** The visible commands below `command`, depth first. */
function withSubcommands(command: Command): Command[] {
  const visible = command.createHelp().visibleCommands(command)
  return visible.filter((child) => child.name() !== 'help').flatMap((child) => [child, ...withSubcommands(child)])
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
}

/** A default that commander adds by itself; others are part of the description. */
function defaultOf({ defaultValue }: Option): string {
  return defaultValue === undefined ? '' : ` Default: \`${String(defaultValue)}\`.`
}

function section(command: Command): string {
  const help = command.createHelp()
  const rows = [
    ...help.visibleArguments(command).map((argument) => ({ term: argumentTerm(argument), text: argument.description })),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help' && long !== '--version')
      .map((option) => ({
        term: option.flags,
        text: `${option.description}.${option.mandatory ? ' Required.' : ''}${defaultOf(option)}`,
      })),
  ]
  const list = rows.map(({ term, text }) => `- \`${term}\`: ${text.replace(/\.$/, '')}\n`).join('')
  const usage = [fullName(command), ...command.registeredArguments.map(argumentTerm)].join(' ')
  return `## \`${usage}\`\n\n${command.description()}\n${list === '' ? '' : `\n${list}`}`
}

// A missing description would also be an empty line in the help.
test('every command, argument and option has a description', () => {
  for (const command of withSubcommands(createProgramForHelp())) {
    const named = [command.description(), ...command.options.map(({ description }) => description)]
    expect([...named, ...command.registeredArguments.map(({ description }) => description)]).not.toContain('')
  }
})

test('docs/reference/commands.md matches the command definitions (npm run reference writes it)', async () => {
  const commands = withSubcommands(createProgramForHelp())
  await expect([introduction, ...commands.map(section)].join('\n')).toMatchFileSnapshot(page)
})

describe('the commands of README.md', () => {
  const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8')
  const cells = readme.split('\n').flatMap((line) => /^\| (`crunch .*?) +\| /.exec(line)?.[1] ?? [])

  /** The command that words name, with the longest path that exists. */
  function find(words: readonly string[]): Command | undefined {
    let command: Command | undefined = createProgramForHelp()
    for (const word of words) command = command?.commands.find((child) => child.name() === word)
    return words.length === 0 ? undefined : command
  }

  const wordsOf = (text: string) => /^[a-z-]+(?: [a-z]+)*/.exec(text)?.[0].split(' ') ?? []

  test('are all there', () => expect(cells.length).toBeGreaterThan(10))

  test.each(cells)('exist with their options: %s', (cell) => {
    const [first = '', ...others] = [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.replace('crunch ', ''))
    const path = wordsOf(first).filter((word) => word !== 'predictions')
    expect(find(path), first).toBeDefined()
    for (const text of [first, ...others]) {
      const words = wordsOf(text)
      // A later command is a sibling of the first one, or a part of it.
      const command =
        text === first ? find(path) : (find([...path, ...words]) ?? find([...path.slice(0, -1), ...words]))
      expect(command, text).toBeDefined()
      const flags = command?.options.flatMap(({ long, short }) => [long, short])
      for (const [flag] of text.matchAll(/(?<![\w-])--?[a-z][a-z-]*/g)) expect(flags, text).toContain(flag)
    }
  })
})

function createProgramForHelp(): Command {
  return createProgram(testTerminal().terminal)
}
