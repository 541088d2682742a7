import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const entries = ['index', 'scoring', 'feeds', 'testing', 'client', 'workers'] as const

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
}

const entryFile = (name: string): string => join(packageFolder, 'src', `${name}.ts`)

const nameOf = (node: ts.Node & { readonly name?: ts.Node | undefined }): string => node.name?.getText() ?? ''

function hasComment(node: ts.Node): boolean {
  const text = ts.getJSDocCommentsAndTags(node).map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
  return text.join('').trim() !== ''
}

/** The exports of a module, each with its original module and name. */
function exportsOf(file: string): { readonly name: string; readonly from: string; readonly original: string }[] {
  return parse(file).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) return []
    const { exportClause, moduleSpecifier } = statement
    if (exportClause === undefined || !ts.isNamedExports(exportClause) || moduleSpecifier === undefined) {
      throw new Error(`${file} exports without names: list the names, so that each has a comment`)
    }
    const from = resolve(dirname(file), (moduleSpecifier as ts.StringLiteral).text)
    return exportClause.elements.map((element) => ({
      name: element.name.text,
      from,
      original: (element.propertyName ?? element.name).text,
    }))
  })
}

/** The declaration of an export; of an overloaded function, the first. */
function declarationOf(file: string, name: string): ts.Node {
  for (const statement of parse(file).statements) {
    const declared = ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [statement]
    const found = declared.find((node) => nameOf(node) === name)
    if (found !== undefined) return found
  }
  const again = exportsOf(file).find((candidate) => candidate.name === name)
  if (again === undefined) throw new Error(`${file} does not declare ${name}`)
  return declarationOf(again.from, again.original)
}

/** The declaration and all members of an interface or class, nested ones included. */
function documentedParts(node: ts.Node, path: string): { readonly path: string; readonly node: ts.Node }[] {
  return [{ path, node }, ...membersOf(node).flatMap((member) => documentedParts(member, `${path}.${nameOf(member)}`))]
}

function membersOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) return node.members
  if (ts.isClassDeclaration(node)) return node.members.filter(isPublic)
  return ts.isPropertySignature(node) && node.type !== undefined ? membersOf(node.type) : []
}

function isPublic(member: ts.ClassElement): boolean {
  const isHidden = ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Override)
  return !isHidden && member.name !== undefined && !ts.isPrivateIdentifier(member.name)
}

describe.each(entries)('the entry %s', (entry) => {
  test('has a module comment, and every export and member has a comment', () => {
    const text = readFileSync(entryFile(entry), 'utf8')
    expect(text).toMatch(/^\/\*\*[\s\S]*@packageDocumentation\n \*\//)
    const exported = exportsOf(entryFile(entry))
    expect(exported.length).toBeGreaterThan(0)
    const parts = exported.flatMap(({ name, from, original }) => documentedParts(declarationOf(from, original), name))
    expect(parts.filter(({ node }) => !hasComment(node)).map(({ path }) => path)).toEqual([])
  })
})

/** The code in the module comment of an entry. */
function exampleOf(entry: string): string {
  const [comment = ''] = /^\/\*\*[\s\S]*?\n \*\//.exec(readFileSync(entryFile(entry), 'utf8')) ?? []
  const lines = comment.split('\n').map((line) => line.replace(/^ \* ?/, ''))
  const code = lines.slice(lines.indexOf('```ts') + 1, lines.lastIndexOf('```'))
  if (code.length === 0) throw new Error(`${entry}.ts has no example in its module comment`)
  return `${code.join('\n')}\n`
}

describe('the examples in the module comments', () => {
  let folder: string
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'crunch-examples-')))
    mkdirSync(join(folder, 'node_modules/@crunch'), { recursive: true })
    symlinkSync(packageFolder, join(folder, 'node_modules/@crunch/coordinator-node'))
    symlinkSync(join(packageFolder, 'node_modules/zod'), join(folder, 'node_modules/zod'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'contract.ts'), exampleOf('index'))
    writeFileSync(join(folder, 'simulation.ts'), exampleOf('testing'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('compile in a workspace', () => {
    const root = join(packageFolder, '../..')
    const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    const files = ['contract.ts', 'simulation.ts'].map((name) => join(folder, name))
    const program = ts.createProgram(files, { ...options, typeRoots: [join(root, 'node_modules/@types')] })
    const problems = files.flatMap((file) => {
      const source = program.getSourceFile(file)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    })
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })

  test('define a valid contract and simulate it', async () => {
    const runner = join(folder, 'run.ts')
    writeFileSync(
      runner,
      `import { loadContract } from '@crunch/coordinator-node/workers'
      import { result } from './simulation.ts'
      const { name } = await loadContract(${JSON.stringify(join(folder, 'contract.ts'))})
      console.log(JSON.stringify({ name, counts: result.counts, entries: result.leaderboard?.entries }))`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', runner], { cwd: packageFolder })
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    expect(result.name).toBe('next-move')
    // One round per candle; the first candle is known at minute 1. The horizons of the last five rounds lie after the end.
    expect(result.counts).toMatchObject({ records: 60, rounds: 60, voidRounds: 0, scores: 55 })
    expect(result.entries).toMatchObject([{ rank: 1, modelId: 'momentum' }])
    expect(result.entries[0].windows.day).toBeGreaterThan(0)
  })
})
