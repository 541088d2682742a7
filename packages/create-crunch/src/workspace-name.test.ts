import { describe, expect, it } from 'vitest'
import { nameProblem } from './workspace-name.ts'

describe('the name of a workspace', () => {
  it.each(['my-challenge', 'a', 'x1', 'a--b', 'a'.repeat(40)])('may be %s', (name) => {
    expect(nameProblem(name)).toBeUndefined()
  })

  it.each([
    ['My.App', 'my-app'],
    ['My Game', 'my-game'],
    ['1st-game', 'st-game'],
    ['game-', 'game'],
    ['Größe', 'gro-e'],
    ['@me/game', 'me-game'],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
    [`x${'Y'.repeat(60)}`, `x${'y'.repeat(39)}`],
  ])('cannot be %s; the suggested name is valid', (name, suggestion) => {
    expect(nameProblem(name)).toContain(`: write "${suggestion}"`)
    expect(nameProblem(suggestion)).toBeUndefined()
  })

  it('has no suggestion if no allowed character is left', () => {
    expect(nameProblem('挑戦')).toMatch(/only a to z, 0 to 9 and hyphens are allowed$/)
    expect(nameProblem('123')).toBe('it must begin with a letter')
  })
})
