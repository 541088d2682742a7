import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { CrunchError } from '../../domain/errors.ts'
import type { ReportContext } from '../report-context.ts'
import { type Client, countedAs, readClient, readConnection, trustedProxies } from './client-address.ts'
import { decideAccess } from './decide-access.ts'
import type { KeyRing, Keys } from './key-ring.ts'
import { whyNotLocal } from './local-request.ts'
import { presentedKey } from './presented-key.ts'
import { createRateLimit } from './rate-limit.ts'
import { refuse, requestFields } from './refuse.ts'
import { type AnyTier, prefixedTier, type Tier, type TierOf } from './tiers.ts'
import { anyone, type Viewer } from './viewer.ts'

export interface GateOptions {
  readonly report: Pick<ReportContext, 'log' | 'access'>
  readonly tierOf: TierOf
  readonly keys: KeyRing
  readonly monotonicMs: () => number
}

/** They answer in any state of the database, so they ask it for no key. */
const probes = ['/healthz', '/readyz', '/metrics']
const readMethods = ['GET', 'HEAD']

interface Asked {
  readonly tier: Tier
  readonly isWrite: boolean
  readonly client: Client
  readonly whyNotLocal: string | null
}

/** Decides who sent a request and whether it may reach its route. */
export function createGate(options: GateOptions): MiddlewareHandler {
  const { report, tierOf, monotonicMs } = options
  const settings = report.access ?? {}
  const isTrusted = trustedProxies(settings.trustedProxies ?? [])
  const writes = createRateLimit({ burst: 60, everyMs: 1_000, monotonicMs })
  const identify = createIdentifier(options)
  return async (context, next) => {
    const routeTier = tierOfRequest(context, tierOf, report)
    context.set('viewer', anyone)
    context.set('counted', null)
    if (routeTier === null || routeTier === 'page' || probes.includes(context.req.path)) return next()
    const isWrite = !readMethods.includes(context.req.method)
    const tier = prefixedTier(routeTier, context.req.path, settings)
    const client = readClient(readConnection(context.env), context.req.raw.headers, isTrusted)
    const asked: Asked = { tier, isWrite, client, whyNotLocal: whyNotLocal(client, context.req.raw.headers) }
    const { viewer, hasKeys, keyName } = await identify(context, asked)
    const counted = countedClient(client, keyName)
    context.set('viewer', viewer)
    context.set('counted', counted)
    if (isWrite) {
      limit(context, writes.waitSeconds(counted), `changes ${keyName === null ? 'from this address' : 'with this key'}`)
      writes.take(counted)
    }
    const refusal = decideAccess({ ...asked, viewer, hasKeys, readsNeedKey: settings.readsNeedKey ?? false })
    if (refusal !== null) {
      if (refusal.status === 401) context.header('www-authenticate', 'Bearer realm="report"')
      report.log.debug('request refused', { ...requestFields(context), status: refusal.status })
      return refuse(refusal.status, refusal.text)
    }
    if (isWrite)
      report.log.info('change requested', { ...requestFields(context), client: client.address, key: keyName })
    return next()
  }
}

/** A key is counted by its own name, so that others at its address, as behind a proxy, cannot use up its tries. */
function countedClient({ address }: Client, keyName: string | null): string {
  return keyName === null ? countedAs(address) : `key ${keyName}`
}

/** The tier of the route that will answer; `null` if none will. Middleware of all paths is not a route. */
function tierOfRequest(context: Context, tierOf: TierOf, { log }: GateOptions['report']): AnyTier | null {
  const method = context.req.method === 'HEAD' ? 'GET' : context.req.method
  for (const { method: routeMethod, path } of matchedRoutes(context)) {
    if (routeMethod === 'ALL' && tierOf({ method: 'ALL', path }) === null) continue
    const tier = tierOf({ method: routeMethod === 'ALL' ? 'ALL' : method, path })
    if (tier === null) log.error('route without a tier', { stage: 'report', method, path })
    return tier ?? 'admin'
  }
  return null
}

interface Identity {
  readonly viewer: Viewer
  readonly hasKeys: boolean
  /** For the log. */
  readonly keyName: string | null
}

function createIdentifier({ keys: ring, report: { log }, monotonicMs }: GateOptions) {
  const failures = createRateLimit({ burst: 10, everyMs: 6_000, monotonicMs })
  function ownerOf(context: Context, keys: Keys, key: string, client: string): Identity {
    const owner = keys.ownerOf(key)
    // Nothing may wait between this and the count of the failure, or requests at the same time would all pass.
    if (owner?.isRandom !== true) limit(context, failures.waitSeconds(client), 'wrong keys from this address')
    if (owner !== null) return { viewer: owner.viewer, hasKeys: keys.isNonEmpty, keyName: owner.name }
    failures.take(client)
    log.warn('wrong key', { ...requestFields(context), client })
    context.header('www-authenticate', 'Bearer realm="report", error="invalid_token"')
    return refuse(
      401,
      'The key is not valid. It may have been revoked, or belong to another node: ask the organizer for one.',
    )
  }
  return async (context: Context, { tier, isWrite, client, whyNotLocal: reason }: Asked): Promise<Identity> => {
    const presented = presentedKey(context.req.raw.headers)
    if (presented !== null && 'refusal' in presented) return refuse(400, presented.refusal)
    if (presented !== null) {
      return ownerOf(context, await ring.current(), presented.key, countedAs(client.address))
    }
    const isOpen = !isWrite && (tier === 'public' || tier === 'read')
    if (isOpen && reason !== null) return { viewer: anyone, hasKeys: false, keyName: null }
    const keys = await ring.current().catch((error: unknown) => {
      // Without the keys, this request sees what the public sees.
      if (isOpen && error instanceof CrunchError) return null
      throw error
    })
    if (keys === null) return { viewer: anyone, hasKeys: true, keyName: null }
    const isOperator = reason === null && !keys.isNonEmpty
    return { viewer: isOperator ? { role: 'admin', by: 'loopback' } : anyone, hasKeys: keys.isNonEmpty, keyName: null }
  }
}

function limit(context: Context, waitSeconds: number, what: string): void {
  if (waitSeconds === 0) return
  context.header('retry-after', String(waitSeconds))
  refuse(429, `Too many ${what}. Try again in ${waitSeconds} s.`)
}
