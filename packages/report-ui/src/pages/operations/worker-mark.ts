import type { Mood } from '../../parts/state-mark.tsx'

interface WorkerState {
  readonly is_silent: boolean
  readonly is_failing: boolean
}

/** What a worker last said of itself counts only while it is heard. */
export function workerMark({ is_silent, is_failing }: WorkerState): { readonly mood: Mood; readonly word: string } {
  if (is_silent) return { mood: 'fail', word: 'silent' }
  return is_failing ? { mood: 'fail', word: 'failing' } : { mood: 'ok', word: 'works' }
}
