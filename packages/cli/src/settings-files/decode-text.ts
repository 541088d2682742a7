/** The text of a settings file, or why the bytes are not valid, with the fix. */
export type DecodedText =
  | { readonly text: string }
  | { readonly line: number | undefined; readonly cause: string; readonly fix: string }

const saveAsUtf8 = 'save the file as UTF-8 (PowerShell: Set-Content -Encoding utf8; Notepad: "Save as", encoding UTF-8)'

/**
 * Decodes UTF-8, with or without a byte order mark. UTF-16, which PowerShell's `>` writes, is refused, because docker compose and
 * shells would read other settings from the same file.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  if (isUtf16(bytes)) return { line: undefined, cause: 'it is UTF-16, not UTF-8', fix: saveAsUtf8 }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    // In a lenient decoding, a replacement character marks the first invalid byte.
    const before = new TextDecoder('utf-8').decode(bytes).split('\uFFFD', 1)[0] ?? ''
    return { line: before.split('\n').length, cause: 'it contains a byte that is not UTF-8', fix: saveAsUtf8 }
  }
}

/** Recognises UTF-16 by its byte order mark or by zero bytes: in ASCII text as UTF-16, every second byte is zero. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes
  const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  return hasMark || (bytes.length >= 2 && (first === 0) !== (second === 0))
}
