import { findPython } from '../src/prepare/python/python-interpreter.ts'
import type { ProcessGuard } from '../src/process/process-guard.ts'
import { openWorkshop } from './open-workshop.ts'

/** The system's Python in an unconfined workshop, for tests that read notebooks; close it at the end. */
export async function openNotebookReader(guard: ProcessGuard) {
  const { signal } = new AbortController()
  const environment = { PATH: process.env.PATH ?? '' }
  const interpreter = await findPython({ program: 'python3', environment, signal, guard })
  const workshop = await openWorkshop(guard, { namespaces: 'off' })
  return { interpreter, workshop, signal, close: () => workshop.close() }
}
