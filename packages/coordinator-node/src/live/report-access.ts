import type { Log } from '../ports/log.ts'
import type { AccessSettings } from '../report/access/access-settings.ts'
import { orchestratorKeyOf } from './orchestrator-key.ts'
import type { Settings } from './settings.ts'

/** How the settings restrict the report API. */
export function reportAccess(settings: Settings, log: Log): AccessSettings {
  const hasMachineKey = settings.API_KEY === undefined && settings.MODEL_ORCHESTRATOR_KEY_FILE !== undefined
  return {
    legacyKey: settings.API_KEY,
    readsNeedKey: settings.API_READ_AUTH,
    publicPrefixes: settings.API_PUBLIC_PREFIXES,
    adminPrefixes: settings.API_ADMIN_PREFIXES,
    trustedProxies: settings.API_TRUSTED_PROXIES,
    machineKey: hasMachineKey
      ? orchestratorKeyOf(settings, log, 'the report API does not know the commands of this machine by it')
      : undefined,
  }
}
