import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/**
 * Calls `onLine` for each line of a stream, without its line break; resolves when the stream is closed. Lines are truncated to
 * `maxLength` characters, so that memory stays bounded.
 */
export function readLines(stream: Readable, maxLength: number, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let pending = ''
  let skipping = false
  const take = (text: string): void => {
    const lines = (pending + text).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      if (!skipping) onLine(line.replace(/\r$/, '').slice(0, maxLength))
      skipping = false
    }
    if (pending.length <= maxLength) return
    if (!skipping) onLine(pending.slice(0, maxLength))
    skipping = true
    pending = ''
  }
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
    stream.once('error', () => stream.destroy())
    stream.once('close', () => {
      if (pending !== '' && !skipping) onLine(pending)
      resolve()
    })
  })
}
