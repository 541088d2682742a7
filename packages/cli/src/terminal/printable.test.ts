import { expect, it } from 'vitest'
import { formatTable } from '../tables.ts'
import { cutToCells } from './printable.ts'
import { terminalText } from './terminal.ts'

it('escapes control characters, except the sequences of the program itself', () => {
  const text = terminalText('name \u001b[2J\u009b2J\r\u202e\nnext')
  expect(text).toBe('name \\u001b[2J\\u009b2J\\u000d\\u202e\nnext\n')
  expect(terminalText('line', 2)).toBe('\u001b[2A\u001b[0Jline\n')
  expect(JSON.parse(terminalText(JSON.stringify({ name: '\u009b\u202e\u{e0041}' })))).toEqual({
    name: '\u009b\u202e\u{e0041}',
  })
})

it('truncates a line to a number of cells; a wide character takes two and is not split', () => {
  expect([cutToCells('王小明', 4), cutToCells('王小明', 5), cutToCells('abc', 2), cutToCells('👩‍🔬x', 2)]).toEqual([
    '王小',
    '王小',
    'ab',
    '👩‍🔬',
  ])
})

it('keeps each row of a board on one line, with its frame aligned, for any name', () => {
  const table = formatTable(['model'], [['a\n│ 1 │ winner'], ['\u001b[31mred'], ['王小明']])
  expect(table.split('\n')).toHaveLength(7)
  expect(table).toContain('\\u000a')
  expect(table).not.toContain('\u001b')
})
