const noPage = 'the report worker serves the page; remove the setting'
const ownRoutes = 'routes of your own are Hono apps in node/api/*.ts, served below /custom; remove the setting'

/** Settings of the Python engine that have no effect in this one, each with the alternative. */
const advice: Readonly<Record<string, string>> = {
  CRUNCH_CONFIG_MODULE: 'the contract is node/contract.ts; remove the setting',
  SCHEDULED_PREDICTION_CONFIGS_PATH:
    'write the schedules into the contract (prediction.schedule) and remove the setting',
  ALEMBIC_DIR: 'the engine contains its migrations; remove the setting',
  MODEL_SECURITY: 'remove the setting',
  FEED_PROVIDER: 'use FEED_SOURCE',
  FEED_ASSETS: 'use FEED_SUBJECTS',
  FEED_CANDLES_WINDOW: 'write input.window into the contract and remove the setting',
  MARKET_RECORD_TTL_DAYS: 'use FEED_RECORD_TTL_DAYS',
  FEED_RETENTION_CHECK_SECONDS: 'old records are deleted every hour; remove the setting',
  MARKET_RETENTION_CHECK_SECONDS: 'old records are deleted every hour; remove the setting',
  PYTH_HERMES_URL: 'use FEED_PYTH_URL',
  PYTH_TIMEOUT_SECONDS: 'remove the setting',
  BACKFILL_DATA_DIR: 'use crunch backfill --target parquet and remove the setting',
  READONLY_USER_PASSWORD: 'create the role in the database and remove the setting',
  POSTGRES_EXTERNAL_PORT: 'crunch status shows the address of the embedded database; remove the setting',
  API_ROUTES: ownRoutes,
  API_ROUTES_DIR: ownRoutes,
  REPORT_API_URL: 'use REPORT_API_PORT',
  REPORT_UI_APP: noPage,
  REPORT_UI_BUILD_CONTEXT: noPage,
  REPORT_UI_DOCKERFILE: noPage,
  NEXT_PUBLIC_API_URL: noPage,
  NEXT_PUBLIC_API_URL_MODEL_ORCHESTRATOR: noPage,
  DEV_SOURCE_PATH: 'remove the setting',
  CACHEBUST: 'remove the setting',
  E2E_VERIFY_TIMEOUT_SECONDS: 'use crunch check and crunch status, and remove the setting',
  E2E_VERIFY_POLL_SECONDS: 'use crunch check and crunch status, and remove the setting',
  CHECK_MODELS_TIMEOUT_SECONDS: 'use crunch models, and remove the setting',
  CHECK_MODELS_POLL_SECONDS: 'use crunch models, and remove the setting',
  COORDINATOR_URL: 'crunch backtest reads recordings; remove the setting',
  BACKTEST_SOURCE: 'crunch backtest reads recordings; remove the setting',
  BACKTEST_SUBJECT: 'crunch backtest reads recordings; remove the setting',
  BACKTEST_KIND: 'crunch backtest reads recordings; remove the setting',
  BACKTEST_GRANULARITY: 'crunch backtest reads recordings; remove the setting',
}

/** What to do with a setting of the Python engine; `undefined` for any other name. */
export function pythonAdvice(key: string): string | undefined {
  if (key.startsWith('FEED_OPT_'))
    return 'write the options of a source into the contract (feed) and remove the setting'
  return Object.hasOwn(advice, key) ? advice[key] : undefined
}
