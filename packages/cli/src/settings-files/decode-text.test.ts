import { describe, expect, it } from 'vitest'
import { decodeText } from './decode-text.ts'

const bytes = (...parts: readonly (string | readonly number[] | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Uint8Array.from(part))))

describe('decodeText', () => {
  it('reads UTF-8 with and without a byte order mark', () => {
    expect(decodeText(bytes('A=ö\n'))).toEqual({ text: 'A=ö\n' })
    expect(decodeText(bytes([0xef, 0xbb, 0xbf], 'A=1'))).toEqual({ text: 'A=1' })
    expect(decodeText(bytes())).toEqual({ text: '' })
  })

  it.each([
    ['little-endian', bytes([0xff, 0xfe], Buffer.from('A=1', 'utf16le'))],
    ['big-endian', bytes([0xfe, 0xff], Buffer.from('A=1', 'utf16le').swap16())],
    ['little-endian without a mark', Buffer.from('A=1', 'utf16le')],
    ['big-endian without a mark', Buffer.from('A=1', 'utf16le').swap16()],
  ])('refuses UTF-16, %s', (_name, content) => {
    expect(decodeText(content)).toMatchObject({ cause: 'it is UTF-16, not UTF-8' })
  })

  it('names the line of a byte that is not UTF-8', () => {
    expect(decodeText(bytes('A=ö\nB=', [0xf6], '\n'))).toMatchObject({
      line: 2,
      cause: 'it contains a byte that is not UTF-8',
    })
  })
})
