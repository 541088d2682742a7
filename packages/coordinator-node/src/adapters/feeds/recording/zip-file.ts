import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { errorText } from '@crunch/local-processes/errors'
import { type Entry, open, type ZipFile } from 'yauzl'
import { cut, recordingError } from './recording-error.ts'

/** The bytes of the one CSV file in a ZIP archive, as exchanges publish their data. */
export async function* readZipped(path: string): AsyncGenerator<Buffer, void, undefined> {
  const zip = await openZip(path)
  try {
    const entry = await onlyEntry(path, zip)
    const openEntry = promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))
    let checksum = 0
    for await (const chunk of await openEntry(entry)) {
      checksum = crc32(chunk as Buffer, checksum)
      yield chunk as Buffer
    }
    if (checksum !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} is wrong`)
  } catch (error) {
    throw isRecordingError(error) ? error : damaged(path, error)
  } finally {
    zip.close()
  }
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await promisify<string, { lazyEntries: true; autoClose: false }, ZipFile>(open)(path, {
      lazyEntries: true,
      autoClose: false,
    })
  } catch (error) {
    throw damaged(path, error)
  }
}

async function onlyEntry(path: string, zip: ZipFile): Promise<Entry> {
  const entries = (await entriesOf(zip)).filter(({ fileName }) => !/\/$|^__MACOSX\/|(?:^|\/)\./.test(fileName))
  const [entry, second] = entries
  const names = entries.map(({ fileName }) => fileName).join(', ')
  if (entry === undefined) throw recordingError(path, 'holds no file', 'Download it again.')
  if (second !== undefined) {
    throw recordingError(
      path,
      `holds ${entries.length} files (${cut(names)})`,
      'Unpack it and name the files one by one.',
    )
  }
  if (!/\.csv$/i.test(entry.fileName)) throw recordingError(path, `holds ${names}, not a CSV file`, 'Unpack it.')
  return entry
}

function entriesOf(zip: ZipFile): Promise<readonly Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = []
    zip.on('entry', (entry: Entry) => {
      entries.push(entry)
      zip.readEntry()
    })
    zip.on('end', () => resolve(entries))
    zip.on('error', reject)
    zip.readEntry()
  })
}

function isRecordingError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'RECORDING_INVALID'
}

function damaged(path: string, error: unknown): Error {
  const cause = errorText(error)
  return recordingError(path, `is not a ZIP archive that can be read (${cut(cause)})`, 'Download it again.', error)
}
