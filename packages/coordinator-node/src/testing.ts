export { createRecordingSource } from './adapters/feeds/recording/index.ts'
export { type SimulationOptions, type SimulationResult, simulate } from './simulation/simulate.ts'
