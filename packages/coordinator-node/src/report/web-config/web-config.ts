import type { ReportContract } from '../report-context.ts'
import { leaderboard } from '../routes/leaderboard/leaderboard.ts'
import { models } from '../routes/models/models.ts'
import { leaderboardColumns } from '../routes/schema/leaderboard-columns.ts'
import { metricsWidgets } from '../routes/schema/metrics-widgets.ts'

/** Files from which the web application of the Python engine takes what it shows. Without one, it mixes our schema with its own. */
export const webConfigFiles = ['leaderboard-columns.json', 'metrics-widgets.json', 'global-settings.json'] as const

export type WebConfigFile = (typeof webConfigFiles)[number]

/** The folder of the files, in the folder of the contract. */
export const webConfigFolder = 'deployment/report-ui/config'

const workers = ['feed-data', 'predict', 'score', 'checkpoint', 'report']

/** What a new workspace has in these files. */
export function webConfig(contract: ReportContract, crunchId: string): Readonly<Record<WebConfigFile, unknown>> {
  return {
    'leaderboard-columns.json': leaderboardColumns(contract),
    'metrics-widgets.json': metricsWidgets(contract),
    'global-settings.json': {
      endpoints: { leaderboard: leaderboard.path, models: models.path },
      // The page shows the logs of containers, and demands the name of at least one.
      logs: { containerNames: workers.map((worker) => `crunch-node-${crunchId}-${worker}-worker`) },
    },
  }
}
