import { decoded } from './path-key.ts'

/**
 * Who may call a route on a node with keys. public: all. read: all, or with `API_READ_AUTH` the owner of any key. admin: keys
 * of the organizer. owner: these and participants' keys; the route itself answers only about their own models.
 */
export type Tier = 'public' | 'read' | 'admin' | 'owner'

/** page: files without data. They are served to all, in any state of the database and whatever the operator's prefixes say. */
export type AnyTier = Tier | 'page'

export interface TierRow {
  /** In any case; `*`: all. */
  readonly method: string
  /** With parameters as `{name}` or `:name`; a `/*` at the end matches everything below. */
  readonly path: string
  readonly tier: AnyTier
}

/** A route as the router has matched it. */
export interface MatchedRoute {
  readonly method: string
  readonly path: string
}

/** `null`: no row. */
export type TierOf = (route: MatchedRoute) => AnyTier | null

/** Looks tiers up by the pattern of the route that answers, so that no other spelling of a path can have another tier. */
export function createTiers(rows: Iterable<TierRow>): TierOf {
  const exact = new Map<string, AnyTier>()
  const below: { readonly start: string; readonly method: string; readonly tier: AnyTier }[] = []
  for (const { method, path, tier } of rows) {
    if (path.endsWith('/*')) below.push({ start: path.slice(0, -1), method: method.toUpperCase(), tier })
    else exact.set(keyOf(method, path), tier)
  }
  return ({ method, path }) =>
    exact.get(keyOf(method, path)) ??
    below.find((row) => path.startsWith(row.start) && (row.method === '*' || row.method === method.toUpperCase()))
      ?.tier ??
    null
}

/** Names of parameters do not matter. */
function keyOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}|:\w+(\{[^}]*\})?/g, '{}')}`
}

/** `API_PUBLIC_PREFIXES` and `API_ADMIN_PREFIXES`: each replaces the tiers of that kind; public prefixes come first. */
export interface TierPrefixes {
  readonly publicPrefixes?: readonly string[] | undefined
  readonly adminPrefixes?: readonly string[] | undefined
}

/** The tier of a read with the operator's prefixes. What belongs to one owner stays so. */
export function prefixedTier(tier: Tier, path: string, { publicPrefixes, adminPrefixes }: TierPrefixes): Tier {
  if (tier === 'owner') return tier
  if (publicPrefixes?.some((prefix) => isBelow(path, prefix)) === true) return 'public'
  if (adminPrefixes?.some((prefix) => isBelow(path, prefix)) === true) return 'admin'
  // The organizer's code can read hidden answers: only a public prefix opens it.
  if (tier === 'admin' && isBelow(path, '/custom')) return tier
  const isReplaced = tier === 'public' ? publicPrefixes !== undefined : tier === 'admin' && adminPrefixes !== undefined
  return isReplaced ? 'read' : tier
}

/**
 * Whether a path is below a prefix, by whole segments: `/reports/models` covers itself and `/reports/models/1`, not
 * `/reports/modelsx`; with a slash at its end it does not cover itself.
 */
export function isBelow(path: string, prefix: string): boolean {
  const parts = segments(path)
  const wanted = segments(prefix)
  const isProper = prefix.endsWith('/') && wanted.length > 0
  return wanted.every((part, index) => part === parts[index]) && (!isProper || parts.length > wanted.length)
}

/** Decoded as the router decodes parameters, so that no spelling of a value gets around a prefix. */
function segments(path: string): readonly string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded)
}
