import { CrunchError, loadContract, readSettings, silentLog } from '@crunch/coordinator-node/internal'

// Loads a contract in a separate process, with Node's module loader unchanged by test tools, and prints the outcome.

const [path = '', settings] = process.argv.slice(2)

const scoreOf = (value) => ({ value, kind: 'valid', resolvableAt: 0 })
const modelOf = (modelId) => ({ modelId, value: 1, windows: { recent: 1, long: 1 }, coverage: 1 })

try {
  const contract = await loadContract(path, settings === undefined ? undefined : readSettings(JSON.parse(settings)))
  const round = { scheduleKey: 'k', subject: 's', performedAt: 0, resolvableAt: 1, horizonMs: 1, stepMs: 1 }
  const parsed = contract.prediction.schema.safeParse({ value: 0.5 })
  const outcome = {
    contract,
    sources: [contract.feed].flat().map(({ from }) => from?.({ env: {}, log: silentLog })),
    built: contract.input.build({ subject: 'BTCUSDT', records: [], at: 0 }),
    score: contract.score.compute({ output: { value: 0.5 }, truth: { return: 0.01 }, round }),
    value: contract.leaderboard.aggregate?.({ scores: [3, 1, 2].map(scoreOf), start: 0, end: 1 }),
    places: contract.leaderboard.rank?.({ models: ['a', 'b'].map(modelOf) }),
    output: parsed.success ? parsed.data : parsed.error.message,
  }
  console.log(JSON.stringify(outcome))
} catch (error) {
  if (!(error instanceof CrunchError)) throw error
  const cause = error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : null
  console.log(JSON.stringify({ code: error.code, message: error.message, cause }))
}
