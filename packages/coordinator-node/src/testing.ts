/**
 * Runs a competition on recorded or invented data, in one process and without a database. With the contract of the main entry:
 *
 * ```ts
 * import type { InputOf, PredictionOf } from '@crunch/coordinator-node'
 * import type { FeedSource } from '@crunch/coordinator-node/feeds'
 * import { simulate } from '@crunch/coordinator-node/testing'
 * import contract from './contract.ts'
 *
 * const minuteMs = 60_000
 *
 * // An hour of candles, each known when it closes. For files: createRecordingSource.
 * const source: FeedSource = {
 *   describe: async () => [],
 *   async *stream([scope]) {
 *     for (let at = 0; at < 60 * minuteMs; at += minuteMs) {
 *       const close = 100 + at / minuteMs
 *       const values = { open: close, high: close, low: close, close, volume: 1 }
 *       yield [{ ...scope!, eventAt: at, knownAt: at + minuteMs, values }]
 *     }
 *   },
 * }
 *
 * class Momentum {
 *   closes: readonly number[] = []
 *   tick({ closes }: InputOf<typeof contract>): void {
 *     this.closes = closes
 *   }
 *   predict(_subject: string, _horizonSeconds: number): PredictionOf<typeof contract> {
 *     return { value: Math.sign(this.closes.at(-1)! - this.closes[0]!) }
 *   }
 * }
 *
 * const identity = { id: 'momentum', name: 'momentum', cruncherId: 'ada', cruncherName: 'Ada' }
 * export const result = await simulate({ contract, source, models: [{ identity, model: new Momentum() }] })
 * console.table(result.leaderboard?.entries)
 * ```
 *
 * @packageDocumentation
 */

export { createRecordingSource } from './adapters/feeds/recording/index.ts'
export type { Refusal } from './domain/progress/refusal.ts'
export { type SimulationOptions, type SimulationResult, simulate } from './simulation/simulate.ts'
