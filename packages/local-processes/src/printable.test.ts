import { describe, expect, it } from 'vitest'
import { isPrintable, printable, printableLines } from './printable.ts'

/** Characters that control a terminal or are invisible in it, by their effect. */
const attacks: Readonly<Record<string, string>> = {
  'clears the screen': '\u001b[2J',
  'sets the title of the terminal': '\u001b]0;title\u0007',
  'is a device control string': '\u001bPq#0\u001b\\',
  'is a control sequence of one character': '\u009b2J',
  'returns to the start of the line': 'ok\rHACKED',
  'overwrites previous characters': 'bad\b\b\b',
  rings: '\u0007',
  'is DEL': '\u007f',
  'is NEL, a line break in some terminals': '\u0085',
  'breaks a line as U+2028': '\u2028',
  'breaks a paragraph as U+2029': '\u2029',
  'reverses the text direction': '\u202egnp.exe',
  'isolates a text direction': '\u2066x\u2069',
  'contains a zero-width space': 'a\u200bb',
  'contains a word joiner': 'a\u2060b',
  'is a byte order mark': '\ufeff',
  'is a tag outside the basic plane': '\u{e0041}',
  'is a blank letter': '\u3164',
  'is half of a surrogate pair': '\ud800',
  'changes the colour': '\u001b[31mred',
}

describe('printable text', () => {
  it.each(Object.entries(attacks))('escapes text that %s', (_does, text) => {
    for (const shown of [printable(text), printableLines(text)]) {
      expect(shown).toMatch(/\\u[0-9a-f]{4}/)
      expect(isPrintable(shown)).toBe(true)
    }
    expect(isPrintable(text)).toBe(false)
    // Escaping JSON does not change its value.
    const json = `{"text":${JSON.stringify(text)}}`
    expect(JSON.parse(printableLines(json))).toEqual({ text })
  })

  it('leaves ordinary text in any language unchanged', () => {
    const text = 'Zoë 王小明 Łukasz 😀 €5 − 100 % „x“'
    expect([printable(text), printableLines(text), isPrintable(text)]).toEqual([text, text, true])
  })

  it('keeps tabs, and line breaks in multi-line text; a name may contain neither', () => {
    expect([printable('a\tb\nc'), printableLines('a\tb\nc')]).toEqual(['a\tb\\u000ac', 'a\tb\nc'])
    expect([isPrintable('a\tb'), isPrintable('a\nb')]).toEqual([false, false])
  })
})
