import { findPython } from '../src/prepare/python/python-interpreter.ts'
import type { ProcessGuard } from '../src/process/process-guard.ts'
import { openWorkshop } from './open-workshop.ts'

/** The machine's Python in an open workshop, as far as reading a notebook needs them; close it at the end. */
export async function openNotebookReader(guard: ProcessGuard) {
  const { signal } = new AbortController()
  const environment = { PATH: process.env.PATH ?? '' }
  const interpreter = await findPython({ program: 'python3', environment, signal, guard })
  const workshop = await openWorkshop(guard, { namespaces: 'off' })
  return { interpreter, workshop, signal, close: () => workshop.close() }
}
