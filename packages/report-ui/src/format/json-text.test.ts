import { expect, it } from 'vitest'
import { jsonText } from './json-text.ts'

it('puts lists of plain values on one line, and nothing inside of texts', () => {
  const value = { closes: [1, 2, null], text: '[\n1\n]', levels: [{ q: [] }, { q: ['a b'] }] }
  expect(jsonText(value)).toBe(
    [
      ...['{', '  "closes": [1, 2, null],', '  "text": "[\\n1\\n]",', '  "levels": [', '    {', '      "q": []'],
      ...['    },', '    {', '      "q": ["a b"]', '    }', '  ]', '}'],
    ].join('\n'),
  )
  expect(JSON.parse(jsonText(value))).toEqual(value)
})
