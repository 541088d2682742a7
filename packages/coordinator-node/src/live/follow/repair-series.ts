import { repairHole } from './fill-series.ts'
import { lookBehindSilence } from './look-behind-silence.ts'
import type { Session } from './session.ts'

/** Reads history besides the stream until the session ends: for open gaps, at growing intervals, and for silent series. */
export async function repairSeries(session: Session): Promise<void> {
  if (session.source.history === undefined) return
  while (!session.ending.aborted) {
    for (const series of session.series) {
      for (const hole of series.holes) {
        if (hole.nextTryAt <= session.timing.now()) await repairHole(session, series, hole)
        if (session.ending.aborted) return
      }
      await lookBehindSilence(session, series)
      if (session.ending.aborted) return
    }
    await session.timing.wait(session.patience.repairMs, session.ending)
  }
}
