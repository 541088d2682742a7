import { expect, it } from 'vitest'
import { builtFile } from './built-file.ts'

it.each([
  ['a chunk of a build', 'file:///srv/src/node_modules/@crunch/cli/dist/chunk-A.js'],
  ['a source in a folder', 'file:///srv/src/node_modules/@crunch/cli/src/deploy/services.ts'],
])('is beside %s', (_, url) => {
  expect(builtFile(url, 'bin.js')).toBe('/srv/src/node_modules/@crunch/cli/dist/bin.js')
})

it('refuses a module outside a package', () => {
  expect(() => builtFile('file:///srv/bin.js', 'bin.js')).toThrow('file:///srv/bin.js is in neither dist nor src')
})
