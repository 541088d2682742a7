import { expect, it } from 'vitest'
import { sharedRead } from './shared-read.ts'

it('is shared by those who call while one runs, and never gives what was read before a call', async () => {
  let stored = 0
  let readCount = 0
  const ends: (() => void)[] = []
  const read = sharedRead(async () => {
    readCount += 1
    const value = stored
    await new Promise<void>((resolve) => ends.push(resolve))
    if (value === 1) throw new Error('broken')
    return value
  })
  const settled = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
  }
  const first = read()
  stored = 1
  const failing = [read(), read()]
  expect(readCount).toBe(1)
  ends.shift()?.()
  expect(await first).toBe(0)
  await settled()
  stored = 2
  const later = [read(), read(), read()]
  ends.shift()?.()
  for (const one of failing) await expect(one).rejects.toThrow('broken')
  await settled()
  ends.shift()?.()
  expect(await Promise.all(later)).toEqual([2, 2, 2])
  expect(readCount).toBe(3)
})
