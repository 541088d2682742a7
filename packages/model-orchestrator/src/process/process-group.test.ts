import { afterEach, expect, it, vi } from 'vitest'
import { signalGroup } from './process-group.ts'

afterEach(() => vi.restoreAllMocks())

// A group of zombies cannot be created on every system, so its error code is mocked.
function answer(code: string): void {
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error(code), { code })
  })
}

it.each(['ESRCH', 'EPERM'])('treats a group as gone on %s', (code) => {
  answer(code)
  expect(signalGroup(4_194_303, 'SIGKILL')).toBe(false)
})

it('throws any other error', () => {
  answer('EINVAL')
  expect(() => signalGroup(4_194_303, 'SIGKILL')).toThrow('EINVAL')
})
