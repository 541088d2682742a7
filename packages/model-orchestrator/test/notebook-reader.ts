import type { ProcessGuard } from '../src/process-guard.ts'
import { findPython } from '../src/python-interpreter.ts'
import { openWorkshop } from './open-workshop.ts'

/** The machine's Python in an open workshop, as far as reading a notebook needs them; close it at the end. */
export async function openNotebookReader(guard: ProcessGuard) {
  const { signal } = new AbortController()
  const environment = { PATH: process.env.PATH ?? '' }
  const interpreter = await findPython({ program: 'python3', environment, signal, guard })
  const workshop = await openWorkshop(guard, { namespaces: 'off' })
  return { interpreter, workshop, signal, close: () => workshop.close() }
}
