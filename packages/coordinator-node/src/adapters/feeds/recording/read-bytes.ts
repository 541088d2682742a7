import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { recordingError } from './recording-error.ts'
import { readZipped } from './zip-file.ts'

const chunkBytes = 64 * 1024

/** The bytes of a text file, unpacked when its name ends in `.gz` or `.zip`, at most 64 KiB at a time. */
export async function* readBytes(path: string): AsyncGenerator<Buffer, void, undefined> {
  await checkFile(path)
  let isFirst = true
  for await (const chunk of /\.zip$/i.test(path) ? readZipped(path) : readPlain(path)) {
    if (isFirst) checkEncoding(path, chunk)
    isFirst = false
    yield chunk
  }
}

async function* readPlain(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = createReadStream(path, { highWaterMark: chunkBytes })
  const unpacked = /\.gz$/i.test(path) ? createGunzip({ chunkSize: chunkBytes }) : undefined
  // The iteration below receives the error; the callback only prevents an unhandled one.
  if (unpacked !== undefined) pipeline(file, unpacked, () => undefined)
  try {
    for await (const chunk of unpacked ?? file) yield chunk as Buffer
  } catch (error) {
    throw readError(path, error)
  } finally {
    unpacked?.destroy()
    file.destroy()
  }
}

function checkEncoding(path: string, [first, second]: Buffer): void {
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (isUtf16) throw recordingError(path, 'is UTF-16', 'Save it as UTF-8, for instance with: iconv -f UTF-16 -t UTF-8')
}
/** The size of a file, in bytes. */
export async function checkFile(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      throw recordingError(
        path,
        'there is no such recording',
        'Check the path; it is relative to the working directory.',
      )
    }
    throw readError(path, error)
  })
  if (!found.isFile()) throw recordingError(path, 'is not a file', 'Name the files of the recording one by one.')
  if (found.size === 0) throw recordingError(path, 'is empty', 'Record it again, or omit it.')
  return found.size
}

/** Translates a system error; returns any other error unchanged. */
export function readError(path: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code?.startsWith('Z_') === true) {
    const problem = code === 'Z_BUF_ERROR' ? 'ends in the middle of its gzip stream' : 'is not a valid gzip file'
    return recordingError(path, problem, 'Copy it again; `gzip -t` must accept it.', error)
  }
  if (typeof code === 'string' && 'syscall' in (error as object)) {
    return recordingError(path, `cannot be read (${code})`, 'Check its permissions and the disk.', error)
  }
  return error as Error
}
