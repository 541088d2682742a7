import { distance } from 'fastest-levenshtein'
import { nearestName } from '../domain/nearest-name.ts'
import { pythonAdvice } from './python-settings.ts'

/** Prefixes that hardly another program has. `API_`, `MODEL_`, `CRUNCH_` and `POSTGRES_` alone are too common. */
const ownPrefixes = [
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
  'SCORE_INTERVAL',
  'SCORING_FUNCTION',
]

/** Names of the Python engine that no other program has. */
const distinctive = /^(API_(READ|PUBLIC|ADMIN)|CRUNCH_CONFIG|LEADERBOARD|MODEL|SCHEDULED_PREDICTION)_/

/** Common names for one of our settings that are not spelled like it. */
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
  PGDATABASE: 'POSTGRES_DB',
  POSTGRES_URL: 'DATABASE_URL',
  POSTGRES_DATABASE: 'POSTGRES_DB',
  POSTGRES_PASS: 'POSTGRES_PASSWORD',
}

/** The problem with a key of the node's own files that is no setting; `undefined`: it is not like one of ours. */
export function unknownInFile(key: string, known: readonly string[]): string | undefined {
  const advice = pythonAdvice(key)
  if (advice !== undefined) return `the Python engine had this setting; here ${advice}`
  const name = key.toUpperCase().replaceAll('-', '_')
  const meant = known.includes(name) ? name : (synonyms[name] ?? similar(name, known))
  if (meant !== undefined) return `there is no such setting; did you mean ${meant}?`
  return ownPrefixes.some((prefix) => name.startsWith(prefix)) ? 'there is no such setting; remove it' : undefined
}

/**
 * The problem with a variable of the process environment that is no setting. It may belong to another program, so only a key with one of
 * our prefixes that is also close to a setting counts, or one that the Python engine had.
 */
export function unknownInProcess(key: string, known: readonly string[]): string | undefined {
  const isOwn = ownPrefixes.some((prefix) => key.startsWith(prefix))
  const advice = isOwn || distinctive.test(key) ? pythonAdvice(key) : undefined
  if (advice !== undefined) return `the Python engine had this setting; here ${advice}`
  const meant = isOwn ? nearestName(key, known) : undefined
  const isTypo = meant !== undefined && distance(key, meant) <= Math.max(2, Math.floor(key.length / 6))
  return isTypo ? `there is no such setting; did you mean ${meant}?` : undefined
}

/** The known name that a key most likely means: by its letters, or because it leaves out words or letters at the end. */
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
