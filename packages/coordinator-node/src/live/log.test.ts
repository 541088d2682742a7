import { describe, expect, test } from 'vitest'
import { createLog } from './log.ts'

const attack = '\u001b]0;x\u0007 \u009b2J \u202egnp \u2028 \u200b \r \u007f \ud800'

function capture(format: 'json' | 'pretty'): { readonly log: ReturnType<typeof createLog>; text(): string } {
  const lines: string[] = []
  const log = createLog({ LOG_LEVEL: 'info', LOG_FORMAT: format }, { write: (line) => lines.push(line) })
  return { log, text: () => lines.join('') }
}

describe('the log', () => {
  test.each(['json', 'pretty'] as const)('escapes terminal control characters in %s lines', (format) => {
    const { log, text } = capture(format)
    log.warn(`a model failed ${attack}`, { name: attack, deep: [{ text: attack }] })
    expect(text()).toContain('a model failed')
    expect(text().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}]/u)
  })

  test('does not change values in JSON', () => {
    const { log, text } = capture('json')
    const name = attack.replace('\ud800', '')
    log.info('hello', { name })
    expect(JSON.parse(text())).toMatchObject({ msg: 'hello', name })
  })
})
