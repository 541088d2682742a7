import { basename } from 'node:path'
import { recordingError } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'
import { safeName } from './series-path.ts'

/** The subject of a file without a `subject` column: from the option, else the one that the file name contains as a word. */
export function findSubject(file: RecordingFile, series: RecordingSeries): string {
  if (file.subject !== undefined) {
    if (series.subjects.includes(file.subject)) return file.subject
    throw recordingError(
      file.path,
      `is set to the subject "${file.subject}", which the feed does not have`,
      oneOf(series),
    )
  }
  const name = basename(file.path).toLowerCase()
  const named = series.subjects.filter((subject) =>
    namesOf(subject).some((word) => containsWord(name, word.toLowerCase())),
  )
  // `new-york` beats `york`, because the longer name contains the shorter one.
  const longest = named.filter((subject) => !named.some((other) => other !== subject && other.includes(subject)))
  const [subject, second] = longest
  if (subject !== undefined && second === undefined) return subject
  throw recordingError(
    file.path,
    longest.length === 0
      ? 'has no "subject" column and its name contains none of the feed\'s subjects'
      : `has no "subject" column and its name contains several subjects (${longest.join(', ')})`,
    `Add the column, put the subject into the file's name, or set the file's subject. ${oneOf(series)}`,
  )
}

/** Notations of a subject in file names: `BTC/USDT` is also `BTC_USDT`, `BTC-USDT`, `BTCUSDT` and `BTC%2FUSDT`. */
function namesOf(subject: string): readonly string[] {
  const parts = subject.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== '')
  return [subject, safeName(subject), ...['_', '-', ''].map((separator) => parts.join(separator))].filter(Boolean)
}

export function oneOf(series: RecordingSeries): string {
  const shown = series.subjects.slice(0, 20).join(', ')
  return `The feed's subjects are ${shown}${series.subjects.length > 20 ? ', …' : ''}.`
}

function containsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isWordCharacter(text[at - 1]) && !isWordCharacter(text[at + word.length])) return true
  }
  return false
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character)
}
