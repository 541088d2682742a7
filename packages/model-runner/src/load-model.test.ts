import { describe, expect, it } from 'vitest'
import { probe } from '../test/probe.ts'
import { writeFolder } from '../test/temporary-folder.ts'

const BASE = 'tracker.TrackerBase'
const tracker = 'export class TrackerBase {}\nexport class Other {}\n'
const head = "import { Other, TrackerBase } from './tracker.ts'\n"

/** The name of the model class in these files, or the error. */
async function find(files: Record<string, string>, base = BASE, ...rest: string[]) {
  const outcome = await probe('model', writeFolder({ 'tracker.ts': tracker, ...files }), base, ...rest)
  return outcome.name ?? `${outcome.error}: ${outcome.message}`
}

describe('loadModelClass', () => {
  it('prefers the default export, then the first export by name', async () => {
    const classes = `${head}export class B extends TrackerBase {}\nexport class A extends TrackerBase {}\nexport { TrackerBase }\n`
    expect(await find({ 'main.ts': classes })).toBe('A')
    expect(await find({ 'main.ts': `${classes}export default class Z extends TrackerBase {}\n` })).toBe('Z')
    expect(await find({ 'main.ts': `${classes}export default class Z extends Other {}\n` })).toBe('A')
  })

  it('accepts a descendant at any depth', async () => {
    expect(await find({ 'main.ts': `${head}class A extends TrackerBase {}\nexport class B extends A {}\n` })).toBe('B')
  })

  it('looks for main.ts, main.js, main.mjs, then the main of package.json', async () => {
    const module = (name: string) =>
      `import { TrackerBase } from './tracker.mjs'\nexport class ${name} extends TrackerBase {}\n`
    const script = (name: string) =>
      `const { TrackerBase } = require('./tracker.cjs')\nmodule.exports = { ${name}: class ${name} extends TrackerBase {} }\n`
    const files = {
      'tracker.mjs': tracker,
      'tracker.cjs': 'exports.TrackerBase = class TrackerBase {}\n',
      'package.json': '{"main":"lib/model.js"}',
      'lib/model.js': script('FromPackage').replace('./', '../'),
    }
    expect(await find(files)).toBe('FromPackage')
    expect(await find({ ...files, 'main.mjs': module('Mjs') })).toBe('Mjs')
    expect(await find({ ...files, 'main.mjs': module('Mjs'), 'main.js': module('Detected') })).toBe('Detected')
    expect(await find({ ...files, 'main.js': script('Script') })).toBe('Script')
    expect(await find({ ...files, 'main.js': script('Script'), 'main.ts': module('Ts') })).toBe('Ts')
    expect(await find({ ...files, 'main.ts': module('Ts') }, BASE, 'lib/model.js')).toBe('FromPackage')
  })

  it('reports a missing class, and the cause if the code does not load', async () => {
    const none = `BadImplementationError: No Inherited class found from <class '${BASE}'>.`
    expect(await find({ 'main.ts': `${head}export class A extends Other {}\nexport { TrackerBase }\n` })).toBe(none)
    expect(await find({})).toMatch(/>\. .* has no main\.ts, main\.js, main\.mjs and no package\.json with "main"/)
    expect(await find({ 'package.json': '{' })).toMatch(/package\.json is not valid JSON$/)
    expect(await find({ 'package.json': '{"main":"gone.js"}' })).toMatch(/gone\.js does not exist or is not a file/)
    expect(await find({ 'main.ts': "throw new Error('no weights')\n" })).toMatch(
      /main\.ts threw while loading: no weights$/,
    )
  })
})
