const one = 'projectIds=model-1'

/**
 * Every route of the API that reads rows, but the leaderboard, with its defaults and for one model. `PREDICTION` and `ROUND` stand for
 * ids that exist.
 */
export const reportRoutes: readonly string[] = [
  ...['/healthz', '/metrics', '/info', '/reports/eras', '/reports/schema'],
  ...['/reports/models', '/reports/models/model-1', '/reports/models/activity', '/reports/models/model-1/failures'],
  ...[
    `/reports/models/global?${one}`,
    `/reports/models/params?${one}`,
    `/reports/models/metrics?${one}`,
    `/reports/models/summary?${one}`,
  ],
  ...['/reports/models/global?points=50', '/reports/models/metrics?points=50', '/reports/models/summary'],
  ...[
    '/reports/predictions',
    '/reports/predictions?limit=100',
    `/reports/predictions?${one}`,
    '/reports/predictions/PREDICTION',
  ],
  ...[`/reports/predictions/PREDICTION/trace`, '/reports/rounds', `/reports/rounds/ROUND`],
  ...['/reports/feeds', '/reports/feeds/tail', '/reports/snapshots', `/reports/snapshots?${one}&limit=1000`],
  ...['/reports/ensemble/history', '/reports/diversity', '/reports/models/model-1/diversity'],
  ...[
    '/reports/checkpoints',
    '/reports/checkpoints/latest',
    '/reports/checkpoints/rewards',
    `/reports/checkpoints/rewards?${one}`,
  ],
]
