import { createRecordingSource } from '@crunch/coordinator-node/feeds'
import { type SimulationResult, simulate } from '@crunch/coordinator-node/testing'
import contract from '../../node/contract.ts'
import type { TrackerBase } from './tracker.ts'

export interface BacktestOptions {
  /** CSV or NDJSON files, also gzipped, in the shape that `crunch simulate` takes. */
  readonly recordings: readonly string[]
  /**
   * The models to compare, by name: a new instance of each, since models keep what they have seen. One that has the name of a
   * baseline is taken for the organizer's: it has no rank and no pay.
   */
  readonly models: Readonly<Record<string, TrackerBase>>
}

/**
 * Runs the competition of this workspace over recorded data: the contract, the pipeline and the scoring are those of the
 * node, the clock is the data's. The same recordings and models give the same result, digest included.
 */
export async function backtest(options: BacktestOptions): Promise<SimulationResult> {
  const [feed, second] = [contract.feed].flat()
  if (feed === undefined || second !== undefined) {
    throw new Error('this back-test knows contracts with one feed: give each recording its feed in src/backtest.ts')
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
