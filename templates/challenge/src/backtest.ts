import { createRecordingSource } from '@crunch/coordinator-node/feeds'
import { type SimulationResult, simulate } from '@crunch/coordinator-node/testing'
import contract from '../../node/contract.ts'
import type { TrackerBase } from './tracker.ts'

export interface BacktestOptions {
  /** CSV or NDJSON files, optionally gzipped, in the format of `crunch simulate`. */
  readonly recordings: readonly string[]
  /**
   * The models to compare, by name. Use new instances, since models keep the data that they received. A model with the name of a
   * baseline belongs to the organizer: it is neither ranked nor paid.
   */
  readonly models: Readonly<Record<string, TrackerBase>>
}

/**
 * Runs the competition of this workspace over recorded data: the contract, the pipeline and the scoring are those of the
 * node, and the clock follows the data. The same recordings and models give the same result and digest.
 */
export async function backtest(options: BacktestOptions): Promise<SimulationResult> {
  const [feed, second] = [contract.feed].flat()
  if (feed === undefined || second !== undefined) {
    throw new Error('this backtest supports one feed: assign a feed to each recording in src/backtest.ts')
  }
  return simulate({
    contract,
    source: createRecordingSource({
      files: options.recordings.map((path) => ({ path })),
      series: {
        source: feed.source,
        subjects: feed.subjects,
        kind: feed.kind,
        granularity: feed.granularity,
        parseValues: (values) => feed.values.parse(values),
      },
    }),
    models: Object.entries(options.models).map(([name, model]) => {
      const cruncher = contract.baselines?.some((baseline) => baseline === name) ? 'organizer' : 'local'
      return { identity: { id: name, name, deploymentId: name, cruncherId: cruncher, cruncherName: cruncher }, model }
    }),
  })
}
