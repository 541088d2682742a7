import { printable } from '@crunch/local-processes'
import stringWidth from 'string-width'

/** Printable text on one line of at most `maxLength` characters. */
export function oneLine(text: string, maxLength: number): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim())
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`
}

/** Truncates a line to a number of terminal cells; a wide character takes two. */
export function cutToCells(line: string, cells: number): string {
  let cut = ''
  let taken = 0
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    taken += stringWidth(segment)
    if (taken > cells) break
    cut += segment
  }
  return cut
}
