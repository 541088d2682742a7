import type { Instant } from './time.ts'

// Ids derive from content, so a step that runs twice writes the same row twice, which the unique keys refuse.

export function roundId(scheduleKey: string, performedAt: Instant): string {
  return `INP_${safe(scheduleKey)}_${stamp(performedAt)}`
}

export function predictionId(modelId: string, round: string): string {
  return `PRE_${safe(modelId)}_${round}`
}

/** The model and the round in the id of a prediction; `null` for a text that is none. */
export function readPredictionId(id: string): { readonly modelId: string; readonly roundId: string } | null {
  const [, model, round] = /^PRE_([^_]+)_(INP_.+)$/.exec(id) ?? []
  if (model === undefined || round === undefined) return null
  const modelId = model.replace(/~([0-9a-f]{1,6})~/g, (text, code) => {
    const point = Number.parseInt(code, 16)
    return point > 0x10ffff ? text : String.fromCodePoint(point)
  })
  return predictionId(modelId, round) === id ? { modelId, roundId: round } : null
}

export function scoreId(prediction: string): string {
  return `SCR_${prediction}`
}

export function snapshotId(modelId: string, periodEnd: Instant): string {
  return `SNAP_${safe(modelId)}_${stamp(periodEnd)}`
}

export function leaderboardId(asOf: Instant): string {
  return `LBR_${stamp(asOf)}`
}

export function checkpointId(periodEnd: Instant): string {
  return `CKP_${stamp(periodEnd)}`
}

/** Escapes characters other than letters, digits, dots and hyphens as `~` and their code, so that ids of different names differ. */
function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9.-]/gu, (character) => `~${character.codePointAt(0)?.toString(16)}~`)
}

/** `20260301_100000.000` */
function stamp(at: Instant): string {
  return new Date(at).toISOString().replace(/[-:Z]/g, '').replace('T', '_')
}
