import { describe, expect, test } from 'vitest'
import { createInFlight } from './in-flight.ts'

/** A piece of work that the test ends. */
function createWork() {
  let end = () => {}
  let fail = (_error: Error) => {}
  let startCount = 0
  const done = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  const run = () => {
    startCount += 1
    return done
  }
  return { run, end: () => end(), fail: (error: Error) => fail(error), isStarted: () => startCount > 0 }
}

/** Lets all pending promise reactions run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('work in flight', () => {
  test('starts at once below the limit and does not wait for the end', async () => {
    const inFlight = createInFlight(2)
    const [first, second] = [createWork(), createWork()]
    await inFlight.add(first.run)
    await inFlight.add(second.run)
    expect([first.isStarted(), second.isStarted()]).toEqual([true, true])
  })

  test('waits for a free slot at the limit, whichever piece ends first', async () => {
    const inFlight = createInFlight(2)
    const [first, second, third] = [createWork(), createWork(), createWork()]
    await inFlight.add(first.run)
    await inFlight.add(second.run)
    const added = inFlight.add(third.run)
    await settled()
    expect(third.isStarted()).toBe(false)
    second.end()
    await added
    expect(third.isStarted()).toBe(true)
  })

  test('counts a heavy piece as several, and runs one that exceeds the limit alone', async () => {
    const inFlight = createInFlight(2)
    const [heavy, light] = [createWork(), createWork()]
    await inFlight.add(heavy.run, 5)
    expect(heavy.isStarted()).toBe(true)
    const added = inFlight.add(light.run)
    await settled()
    expect(light.isStarted()).toBe(false)
    heavy.end()
    await added
    expect(light.isStarted()).toBe(true)
  })

  test('is drained when nothing is left', async () => {
    const inFlight = createInFlight(2)
    await inFlight.drain()
    const work = createWork()
    await inFlight.add(work.run)
    let isDrained = false
    const drained = inFlight.drain().then(() => {
      isDrained = true
    })
    await settled()
    expect(isDrained).toBe(false)
    work.end()
    await drained
  })

  test('rejects with the first failure when more is added or drained, and starts nothing after it', async () => {
    const inFlight = createInFlight(2)
    const [first, second, third] = [createWork(), createWork(), createWork()]
    await inFlight.add(first.run)
    await inFlight.add(second.run)
    const added = inFlight.add(third.run)
    first.fail(new Error('the database is gone'))
    await expect(added).rejects.toThrow('the database is gone')
    second.fail(new Error('and so is the other'))
    await expect(inFlight.drain()).rejects.toThrow('the database is gone')
    expect(third.isStarted()).toBe(false)
  })
})
