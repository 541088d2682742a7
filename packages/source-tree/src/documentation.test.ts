import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const engine = join(root, 'packages/coordinator-node/src')

const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
const read = (page: string) => readFileSync(join(root, page), 'utf8')

/** The anchor of a heading on GitHub. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

function hasAnchor(page: string, anchor: string): boolean {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].some(([, heading = '']) => anchorOf(heading) === anchor)
}

/** Why a link of `page` is broken; `null` for a valid one or one that leaves the repository. */
function brokenLink(page: string, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return null
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, file))) return `${page}: ${target}: there is no ${file}`
  if (anchor !== undefined && !hasAnchor(file, anchor)) return `${page}: ${target}: ${file} has no such heading`
  return null
}

test('links between pages lead to files and headings that exist', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => brokenLink(page, target)),
  )
  expect(broken.filter((problem) => problem !== null)).toEqual([])
})

/** The packages that are published, by name. */
const published = execFileSync('git', ['ls-files', 'packages/*/package.json'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((file): { name: string; private?: boolean } => JSON.parse(read(file)))
  .flatMap((manifest) => (manifest.private === true ? [] : [manifest.name]))

/** Why `changeset version` would skip a changeset or fail; `null` for a valid one. */
function changesetProblem(page: string): string | null {
  const [, frontMatter, text = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(read(page)) ?? []
  if (frontMatter === undefined) return `${page}: does not begin with front matter between two lines ---`
  if (text.trim() === '') return `${page}: has no text`
  const lines = frontMatter.split('\n').filter((line) => line !== '')
  if (lines.length === 0) return `${page}: names no package`
  for (const line of lines) {
    const name = /^(["'])(.+)\1: (?:patch|minor|major)$/.exec(line)?.[2]
    if (name === undefined)
      return `${page}: "${line}" is not a package name in quotes, a colon and patch, minor or major`
    if (!published.includes(name)) return `${page}: there is no published package ${name}`
  }
  return null
}

test('changesets name published packages in valid front matter', () => {
  const changesets = pages.filter((page) => page.startsWith('.changeset/') && !page.endsWith('/README.md'))
  expect(changesets).not.toEqual([])
  expect(changesets.map(changesetProblem).filter((problem) => problem !== null)).toEqual([])
})

test('ARCHITECTURE.md names files that exist', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/`([\w./-]+\/[\w./-]+\.(?:ts|md|mjs))`/g)].map(
    ([, path = '']) => path,
  )
  expect(named).toContain('live/settings.ts')
  const missing = named.filter((path) => !path.includes('NAME'))
  // Paths are relative to the root, `packages`, the engine or its transport.
  const folders = [root, join(root, 'packages'), engine, join(engine, 'adapters/model-runner')]
  expect(missing.filter((path) => !folders.some((folder) => existsSync(join(folder, path))))).toEqual([])
})

test('docs/contract.md names every option of the contract and says where windows end', () => {
  const code = [...read('docs/contract.md').matchAll(/```.*?```|`[^`\n]+`/gs)].map(([text]) => text).join(' ')
  const named = new Set(code.match(/\w+/g))
  const options = [...read('docs/reference/contract.md').matchAll(/^\| `([\w.]+)` \|/gm)].map(
    ([, option = '']) => option,
  )
  expect(options.length).toBeGreaterThan(50)
  expect(options.filter((option) => !named.has(option.split('.').at(-1) ?? ''))).toEqual([])
  expect(read('docs/contract.md')).toContain('half-open, `[start, end)`')
})
