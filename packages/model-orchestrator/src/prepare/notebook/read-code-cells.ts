import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { modelEnvironment } from '../../process/model-environment.ts'
import { RunFailure } from '../../run-failure.ts'
import type { PythonInterpreter } from '../python/python-interpreter.ts'
import type { Workshop, WorkshopEnd } from '../workshop.ts'

const SCRIPT = fileURLToPath(new URL('./read_notebook.py', import.meta.url))
/** Seconds are enough unless the machine is very busy; memory is limited as well. */
const LIMIT_MS = 300_000
/** A notebook of 32 MiB has a smaller answer; a larger one would be read into the orchestrator's memory. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** Python's last lines say what went wrong. */
const TAIL_LINES = 5

const place = { cell: z.number(), line: z.number() }
const codeSchema = z.object({
  lines: z.array(z.string()),
  imports: z.array(z.object({ ...place, module: z.string(), isStandard: z.boolean(), comment: z.string().nullable() })),
  commands: z.array(z.object({ ...place, text: z.string() })),
  warnings: z.array(z.string()),
})
const answerSchema = z.union([z.object({ error: z.object({ ...place, message: z.string() }) }), codeSchema])

/** The program in a notebook's code cells, with its imports and commands. Cells and lines count from 1. */
export type NotebookCode = z.infer<typeof codeSchema>

export interface NotebookReading {
  /** The notebook, absolute. */
  readonly file: string
  readonly interpreter: PythonInterpreter
  readonly workshop: Workshop
  /** Gets a folder for the answer, which is removed afterwards. */
  readonly scratchDirectory: string
  readonly signal: AbortSignal
}

/**
 * Parses the code cells with Python: see `read_notebook.py`. It uses the system's Python without the submission's
 * packages, which may contain code that runs at every start of Python. Throws `BUILD_FAILED` that names cell and line.
 */
export async function readCodeCells(reading: NotebookReading): Promise<NotebookCode> {
  const { file, interpreter, workshop, scratchDirectory, signal } = reading
  await mkdir(scratchDirectory, { recursive: true })
  const folder = await mkdtemp(join(scratchDirectory, '.reading-'))
  try {
    const answerFile = join(folder, 'answer.json')
    await writeFile(answerFile, '')
    const tail: string[] = []
    const end = await workshop.run({
      command: interpreter.executable,
      args: ['-I', '-S', SCRIPT, file, answerFile],
      directory: '/',
      environment: modelEnvironment(process.env),
      programs: [interpreter.executable],
      readable: [file, SCRIPT],
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
    throw new RunFailure('BUILD_FAILED', `${file}: cell ${cell} line ${line}: ${message}`)
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
