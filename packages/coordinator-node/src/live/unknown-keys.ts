import { distance } from 'fastest-levenshtein'
import { nearestName } from '../domain/nearest-name.ts'
import { pythonAdvice } from './python-settings.ts'

/** Prefixes that hardly any other program uses. `API_`, `MODEL_`, `CRUNCH_` and `POSTGRES_` alone are too common. */
const ownPrefixes = [
  'API_ADMIN_',
  'API_PUBLIC_',
  'API_READ_',
  'API_TRUSTED_',
  'CHECKPOINT_INTERVAL',
  'COMPUTE_PROVIDER_',
  'CRUNCH_PUB',
  'DATA_PROVIDER_',
  'FEED_',
  'INFERENCE_',
  'MODEL_ORCHESTRATOR_',
  'MODEL_RUN',
  'ORGANIZER_',
  'REPORT_API_',
  'REPORT_UI_',
  'SCORE_INTERVAL',
  'SCORING_FUNCTION',
]

/** Names of the Python engine that no other program uses. */
const distinctive = /^(CRUNCH_CONFIG|LEADERBOARD|MODEL|SCHEDULED_PREDICTION)_/

/** Common names of other programs for one of our settings. */
const synonyms: Readonly<Record<string, string>> = {
  DB_URL: 'DATABASE_URL',
  DB_HOST: 'POSTGRES_HOST',
  DB_PORT: 'POSTGRES_PORT',
  DB_USER: 'POSTGRES_USER',
  DB_PASSWORD: 'POSTGRES_PASSWORD',
  DB_NAME: 'POSTGRES_DB',
  PGHOST: 'POSTGRES_HOST',
  PGPORT: 'POSTGRES_PORT',
  PGUSER: 'POSTGRES_USER',
  PGPASSWORD: 'POSTGRES_PASSWORD',
  REPORT_PORT: 'REPORT_API_PORT',
  PGDATABASE: 'POSTGRES_DB',
  POSTGRES_URL: 'DATABASE_URL',
  POSTGRES_DATABASE: 'POSTGRES_DB',
  POSTGRES_PASS: 'POSTGRES_PASSWORD',
}

/** The problem with a key in the node's own files that is not a setting; `undefined` if it is not similar to one. */
export function unknownInFile(key: string, known: readonly string[]): string | undefined {
  const advice = pythonAdvice(key)
  if (advice !== undefined) return `this is a setting of the Python engine: ${advice}`
  const name = key.toUpperCase().replaceAll('-', '_')
  const meant = known.includes(name) ? name : (synonyms[name] ?? similar(name, known))
  if (meant !== undefined) return `there is no such setting; did you mean ${meant}?`
  return ownPrefixes.some((prefix) => name.startsWith(prefix)) ? 'there is no such setting; remove it' : undefined
}

/**
 * The problem with an environment variable that is not a setting. It may belong to another program, so only keys with one of
 * our prefixes that are similar to a setting count, and settings of the Python engine.
 */
export function unknownInProcess(key: string, known: readonly string[]): string | undefined {
  const isOwn = ownPrefixes.some((prefix) => key.startsWith(prefix))
  const advice = isOwn || distinctive.test(key) ? pythonAdvice(key) : undefined
  if (advice !== undefined) return `this is a setting of the Python engine: ${advice}`
  const meant = isOwn ? nearestName(key, known) : undefined
  const isTypo = meant !== undefined && distance(key, meant) <= Math.max(2, Math.floor(key.length / 6))
  return isTypo ? `there is no such setting; did you mean ${meant}?` : undefined
}

/** The setting that a key most likely means: similarly spelled, or abbreviated by omitted words or a shortened end. */
function similar(key: string, known: readonly string[]): string | undefined {
  const nearest = nearestName(key, known)
  const limit = Math.max(2, Math.floor(key.length / 4))
  if (nearest !== undefined && key.length > 4 && distance(key, nearest) <= limit) return nearest
  const words = key.split('_')
  if (words.length < 2) return undefined
  const candidates = known.filter((name) => {
    const ofName = name.split('_')
    return name.startsWith(key) || (words[0] === ofName[0] && words.every((word) => ofName.includes(word)))
  })
  return nearestName(key, candidates) ?? candidates[0]
}
