import { describe, expect, it } from 'vitest'
import { isPrintable, printable, printableLines } from './printable.ts'

/** What steers a terminal, or hides in it, by what it does. */
const attacks: Readonly<Record<string, string>> = {
  'clears the screen': '\u001b[2J',
  'sets the title, and answers on the keyboard': '\u001b]0;title\u0007',
  'is a device control string': '\u001bPq#0\u001b\\',
  'is a control sequence of one character': '\u009b2J',
  'goes back to the start of the line': 'ok\rHACKED',
  'takes back what stands there': 'bad\b\b\b',
  rings: '\u0007',
  'is DEL': '\u007f',
  'is NEL, which some terminals take for a line break': '\u0085',
  'breaks a line as U+2028': '\u2028',
  'breaks a paragraph as U+2029': '\u2029',
  'turns the direction': '\u202egnp.exe',
  'isolates a direction': '\u2066x\u2069',
  'has no width': 'a\u200bb',
  'joins without a width': 'a\u2060b',
  'is a mark of byte order': '\ufeff',
  'is a tag, outside of the first plane': '\u{e0041}',
  'is blank, and a letter': '\u3164',
  'is half of a pair': '\ud800',
  'is a colour': '\u001b[31mred',
}

describe('printable text', () => {
  it.each(Object.entries(attacks))('escapes what %s', (_does, text) => {
    for (const shown of [printable(text), printableLines(text)]) {
      expect(shown).toMatch(/\\u[0-9a-f]{4}/)
      expect(isPrintable(shown)).toBe(true)
    }
    expect(isPrintable(text)).toBe(false)
    // In JSON, where the text may stand raw, the value stays what it was.
    const json = `{"text":${JSON.stringify(text)}}`
    expect(JSON.parse(printableLines(json))).toEqual({ text })
  })

  it('leaves what people write as it is', () => {
    const text = 'Zoë 王小明 Łukasz 😀 €5 − 100 % „x“'
    expect([printable(text), printableLines(text), isPrintable(text)]).toEqual([text, text, true])
  })

  it('keeps tabs, and line breaks only in text of several lines; a name has neither', () => {
    expect([printable('a\tb\nc'), printableLines('a\tb\nc')]).toEqual(['a\tb\\u000ac', 'a\tb\nc'])
    expect([isPrintable('a\tb'), isPrintable('a\nb')]).toEqual([false, false])
  })
})
