import { afterEach, expect, it, vi } from 'vitest'
import { signalGroup } from './process-group.ts'

afterEach(() => vi.restoreAllMocks())

// What the system answers for a group of zombies cannot be had on every system: its answer is played.
function answer(code: string): void {
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error(code), { code })
  })
}

it.each(['ESRCH', 'EPERM'])('takes a group that answers %s for gone', (code) => {
  answer(code)
  expect(signalGroup(4_194_303, 'SIGKILL')).toBe(false)
})

it('throws what is no answer about the group', () => {
  answer('EINVAL')
  expect(() => signalGroup(4_194_303, 'SIGKILL')).toThrow('EINVAL')
})
