import { basename, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveOptions } from './options.ts'

const pack = { name: 'realtime', title: '', description: '', delete: [], directory: '' }
const options = (name: string, flags: { directory?: string } = {}) =>
  resolveOptions(name, { yes: true, packageManager: 'npm', ...flags }, [pack], false)

describe('a name that is a path', () => {
  it('creates the workspace in that folder and with its name', async () => {
    expect(await options('some/where/my-game')).toMatchObject({
      name: 'my-game',
      directory: resolve('some/where/my-game'),
    })
    // The test's working directory may have any name.
    const here = options('.')
    const folder = basename(resolve('.'))
    if (/^[a-z][a-z0-9-]*$/.test(folder)) expect(await here).toMatchObject({ name: folder, directory: resolve('.') })
    else await expect(here).rejects.toThrow('--directory "."')
  })

  it('is refused with a suggested name if the name of the folder is not allowed', async () => {
    await expect(options('some/My.App')).rejects.toThrow('create-crunch my-app --directory "some/My.App"')
    await expect(options('/')).rejects.toThrow('create-crunch my-challenge --directory "/"')
  })

  it('is refused together with --directory', async () => {
    await expect(options('./game', { directory: 'other' })).rejects.toThrow('remove one of them')
  })
})
