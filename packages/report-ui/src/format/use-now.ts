import { competitionNow, wallNow } from '../data/competition-time.ts'
import { ago } from './times.ts'

/** How long ago a time of the competition is; the component that calls this renders again each second. */
export function competitionAge(ms: number): string {
  return ago(competitionNow.value - ms)
}

/** How long ago a time of this machine is. */
export function wallAge(ms: number): string {
  return ago(wallNow.value - ms)
}
