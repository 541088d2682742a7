import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Hono } from 'hono'
import type { AnyContract } from '../contract/crunch-contract.ts'
import { CrunchError } from '../domain/errors.ts'
import type { ReportReads } from '../ports/reads/report-reads.ts'
import { importAuthorFile } from './load-contract.ts'

/** The type parameter of an organizer's app: `new Hono<CustomRoutes>()`. */
export interface CustomRoutes {
  /** What `context.get` gives, by name. */
  readonly Variables: {
    /** The contract that this node runs, with the operator's settings applied. */
    readonly contract: AnyContract
    /** Everything that is stored, also the answers that are still hidden from others. */
    readonly reads: ReportReads
  }
}

/**
 * The apps of `api/*.ts` beside the contract, in order of file name; files that begin with `_`, tests and declarations are not routes.
 * Throws `ROUTES_NOT_LOADED` with the file, the line and the cause.
 */
export async function loadCustomRoutes(contractFolder: string): Promise<readonly Hono[]> {
  const folder = join(contractFolder, 'api')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => /^[^_.].*\.ts$/.test(name) && !/\.(test|d)\.ts$/.test(name))
  const apps: Hono[] = []
  const fileOf = new Map<string, string>()
  for (const path of names.sort().map((name) => join(folder, name))) {
    const { default: app } = await importAuthorFile(path, '', 'ROUTES_NOT_LOADED')
    if (!isApp(app)) {
      const fix = 'write const app = new Hono<CustomRoutes>(), then export default app'
      throw new CrunchError('ROUTES_NOT_LOADED', `${path}:1: its default export is no Hono app: ${fix}`)
    }
    for (const route of app.routes.filter(({ method }) => method !== 'ALL')) {
      const key = `${route.method} /custom${route.path}`
      const other = fileOf.get(key)
      if (other !== undefined && other !== path) {
        throw new CrunchError('ROUTES_NOT_LOADED', `${path} and ${other} both serve ${key}: rename one of the routes`)
      }
      fileOf.set(key, path)
    }
    apps.push(app)
  }
  return apps
}

function isApp(value: unknown): value is Hono {
  if (typeof value !== 'object' || value === null) return false
  const { routes, fetch } = value as Partial<Hono>
  return Array.isArray(routes) && typeof fetch === 'function'
}
