import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { modelEnvironment } from '../../process/model-environment.ts'
import { RunFailure } from '../../run-failure.ts'
import { checkOwnFile } from '../../submission/read-own-file.ts'
import type { PythonInterpreter } from '../python/python-interpreter.ts'
import type { Workshop, WorkshopEnd } from '../workshop.ts'

const [SCRIPT, CELLS] = ['read_notebook.py', 'notebook_cells.py'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
) as [string, string]
/** Seconds are enough except on a very busy machine. */
const LIMIT_MS = 300_000
/** Larger than the result for a notebook of 32 MiB; limits what is read into the orchestrator's memory. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** How many of Python's last lines an error contains. */
const TAIL_LINES = 5

const place = { cell: z.number(), line: z.number() }
const codeSchema = z.object({
  lines: z.array(z.string()),
  imports: z.array(z.object({ ...place, module: z.string(), isStandard: z.boolean(), comment: z.string().nullable() })),
  commands: z.array(z.object({ ...place, text: z.string() })),
  files: z.array(
    z.object({ cell: z.number(), path: z.string(), text: z.string(), how: z.enum(['new', 'replace', 'append']) }),
  ),
  warnings: z.array(z.string()),
})
const errorSchema = z.object({ cell: z.number().nullable(), line: z.number(), message: z.string() })
const answerSchema = z.union([z.object({ error: errorSchema }), codeSchema])

/** The program in the cells of a notebook, with its imports, commands and files. Cells and lines count from 1. */
export type NotebookCode = z.infer<typeof codeSchema>

export interface NotebookReading {
  /** The absolute path of the notebook. */
  readonly file: string
  readonly interpreter: PythonInterpreter
  readonly workshop: Workshop
  /** A temporary folder for the result is created here. */
  readonly scratchDirectory: string
  readonly signal: AbortSignal
}

/**
 * Reads a notebook with Python: see `read_notebook.py`. It uses the system's Python without the submission's
 * packages, which may contain code that runs at every start of Python. Throws `BUILD_FAILED` with the cell and line.
 */
export async function readNotebook(reading: NotebookReading): Promise<NotebookCode> {
  const { file, interpreter, workshop, scratchDirectory, signal } = reading
  await mkdir(scratchDirectory, { recursive: true })
  const folder = await mkdtemp(join(scratchDirectory, '.reading-'))
  try {
    const answerFile = join(folder, 'answer.json')
    await checkOwnFile(file)
    await writeFile(answerFile, '')
    const tail: string[] = []
    const end = await workshop.run({
      command: interpreter.executable,
      args: ['-I', '-S', '-B', SCRIPT, file, answerFile],
      directory: '/',
      environment: modelEnvironment(process.env),
      programs: [interpreter.executable],
      readable: [file, SCRIPT, CELLS],
      writable: [folder],
      limitMs: LIMIT_MS,
      signal,
      onLine(line, error) {
        if (error && line.trim() !== '') tail.push(line.trim())
        tail.splice(0, tail.length - TAIL_LINES)
      },
    })
    if (end.code !== 0) throw unreadable(file, end, tail)
    const { size } = await stat(answerFile)
    if (size > MAX_ANSWER_BYTES) {
      const problem = `the program in it takes ${size} bytes, more than ${MAX_ANSWER_BYTES}; write a shorter notebook`
      throw new RunFailure('BUILD_FAILED', `${file} cannot be read: ${problem}`)
    }
    const answer = answerSchema.parse(JSON.parse(await readFile(answerFile, 'utf8')))
    if (!('error' in answer)) return answer
    const { cell, line, message } = answer.error
    const where = cell === null ? 'is not a notebook that can be run' : `cell ${cell} line ${line}`
    throw new RunFailure('BUILD_FAILED', `${file}${cell === null ? ' ' : ': '}${where}: ${message}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function unreadable(file: string, end: WorkshopEnd, tail: readonly string[]): RunFailure {
  const { code, isLate, over } = end
  const why =
    over !== null
      ? `was stopped because it ${over}`
      : isLate
        ? `took more than ${LIMIT_MS / 1_000} s`
        : `exited with code ${code}`
  const said = tail.length === 0 ? '' : `; its last lines: ${tail.join('\n')}`
  return new RunFailure('BUILD_FAILED', `${file} cannot be read: Python ${why}; write a shorter notebook${said}`)
}
