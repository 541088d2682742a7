import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { settingsSchema } from '../src/live/settings.ts'

const page = (name: string) => fileURLToPath(new URL(`../../../docs/reference/${name}.md`, import.meta.url))

function parse(path: string): ts.SourceFile {
  const file = fileURLToPath(new URL(`../src/${path}`, import.meta.url))
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`).join('')

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()

function commentOf(node: ts.Node): string {
  const text = ts.getJSDocCommentsAndTags(node).map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
  return text.join(' ').trim()
}

function* descendants(node: ts.Node): Generator<ts.Node> {
  for (const child of node.getChildren()) {
    yield child
    yield* descendants(child)
  }
}

interface Documented {
  readonly name: string
  readonly comment: string
}

/** The settings in the order of the schema, each with its comment. */
function settingComments(): Documented[] {
  const schema = [...descendants(parse('live/settings.ts'))]
    .filter(ts.isVariableDeclaration)
    .find(({ name }) => name.getText() === 'settingsSchema')
  const properties = [...descendants(schema as ts.Node)].filter(ts.isPropertyAssignment)
  return properties
    .filter(({ name }) => name.getText() in settingsSchema.shape)
    .map((property) => ({ name: property.name.getText(), comment: commentOf(property) }))
}

type Values = { readonly [Key in 'enum' | 'minimum' | 'maximum' | 'default']?: unknown }

function allowedValues({ enum: names, minimum, maximum }: Values): string {
  if (Array.isArray(names)) return names.map((name) => `\`${String(name)}\``).join(', ')
  if (minimum === undefined || maximum === undefined) return ''
  return `${String(minimum)} to ${String(maximum)}`
}

function settingsPage(): string {
  const { properties = {} } = z.toJSONSchema(settingsSchema, { io: 'output', unrepresentable: 'any' })
  const rows = settingComments().map(({ name, comment }) => {
    const values = properties[name] as Values
    const fallback = values.default === undefined || values.default === '' ? '' : `\`${String(values.default)}\``
    return [`\`${name}\``, comment.replace(/\.$/, ''), allowedValues(values), fallback]
  })
  return `# Settings

Generated from \`packages/coordinator-node/src/live/settings.ts\` by \`npm run reference\`. Do not edit.

Settings are environment variables. \`crunch\` reads the environment, then \`node/.local.env\`, then \`node/.env\`: see
[settings files](../running-a-node.md#settings-files). Numbers are plain decimal numbers, without units, exponents or separators.

${table(['setting', 'meaning', 'values', 'default'], rows)}`
}

interface OptionRow extends Documented {
  readonly type: string
}

/** The options of a type, nested ones by their path. */
function optionsOf(members: ts.NodeArray<ts.TypeElement>, prefix: string): OptionRow[] {
  return members.flatMap((member) => {
    const isOptional = member.questionToken !== undefined
    const name = `${prefix}${member.name?.getText() ?? ''}`
    if (ts.isMethodSignature(member)) return [row(name, 'function', member, isOptional)]
    if (!ts.isPropertySignature(member) || member.type === undefined) return []
    const { type } = member
    if (ts.isTypeLiteralNode(type)) {
      return [row(name, 'object', member, isOptional), ...optionsOf(type.members, `${name}.`)]
    }
    return [row(name, readableType(type.getText()), member, isOptional)]
  })
}

function row(name: string, type: string, node: ts.Node, isOptional: boolean): OptionRow {
  return { name, type, comment: `${isOptional ? 'Optional. ' : ''}${commentOf(node)}` }
}

/** Types described by the values that an author writes, because generics and functions are not helpful in a table. */
function readableType(text: string): string {
  const plain = text
    .replaceAll(/\breadonly /g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\(?\(context: .*$/g, 'function')
  const named: Readonly<Record<string, string>> = {
    Input: 'zod schema',
    Output: 'zod schema',
    Truth: 'zod schema',
    Score: 'zod schema',
    'Feeds<Feed>': 'feed or list of feeds',
    'ScheduleEntry<SubjectOf<Feed>>[]': 'list, see below',
    'GateOptions<NumericField<z.output<Values>>>': 'object, see below',
    Subject: 'a subject of the feed',
    'Subject[]': 'list of strings',
    Watch: 'string',
    'NumericField<z.output<NoInfer<Score>>>': 'field of the score',
    'Readonly<Record<Window, Duration>>': 'durations by name',
    'NoInfer<Window>': 'name of a window',
    Direction: "'asc' or 'desc'",
    NewcomerPolicy: "'wait', 'worst' or 'own'",
    PayAbove: '`{ baseline }` or `{ value }`',
    'MetricName[]': 'list of names',
    Duration: 'duration',
    FeedSourceFactory: 'function',
    'string[]': 'list of strings',
    'number[]': 'list of numbers',
    JsonObject: 'JSON object',
  }
  return named[plain] ?? plain.replace(/^\| /, '')
}

function interfaceOptions(path: string, name: string): OptionRow[] {
  const found = [...descendants(parse(path))].filter(ts.isInterfaceDeclaration).find((node) => node.name.text === name)
  if (found === undefined) throw new Error(`${path} declares no interface ${name}: correct contractSections`)
  return optionsOf(found.members, '')
}

const contractSections = [
  ['The contract', 'contract/crunch-contract.ts', 'CrunchContract'],
  ['A line of `prediction.schedule`', 'contract/crunch-contract.ts', 'ScheduleEntry'],
  ['A feed: `candles()`, `ticks()`, `series()`', 'contract/feed-definition.ts', 'FeedOptions'],
  ['`gate` of a feed', 'contract/gate-options.ts', 'GateOptions'],
  ['`tiers()`', 'contract/defaults/tiers.ts', 'TierOptions'],
  ['`proportional()`', 'contract/defaults/by-value.ts', 'ProportionalOptions'],
  ['`softmax()`', 'contract/defaults/by-value.ts', 'SoftmaxOptions'],
  ['An emission of your own', 'contract/defaults/emission.ts', 'Emission'],
] as const

function contractPage(): string {
  const sections = contractSections.map(([title, path, name]) => {
    const rows = interfaceOptions(path, name).map((option) => [`\`${option.name}\``, option.type, option.comment])
    return `## ${title}\n\n${table(['option', 'type', 'meaning'], rows)}`
  })
  return `# Contract options

Generated from \`packages/coordinator-node/src/contract\` by \`npm run reference\`. Do not edit. Introduction: [contract.md](../contract.md).

${sections.join('\n')}`
}

describe('docs/reference matches the code (npm run reference writes it)', () => {
  test('settings', async () => {
    await expect(settingsPage()).toMatchFileSnapshot(page('settings'))
  })

  test('contract options', async () => {
    await expect(contractPage()).toMatchFileSnapshot(page('contract'))
  })

  test('every setting and every contract option has a comment', () => {
    const settings = settingComments()
    expect(settings.map(({ name }) => name)).toEqual(Object.keys(settingsSchema.shape))
    const options = contractSections.flatMap(([, path, name]) => interfaceOptions(path, name))
    expect([...settings, ...options].filter(({ comment }) => comment.replace('Optional. ', '') === '')).toEqual([])
  })
})
