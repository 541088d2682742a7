export { createRecordingSource } from './adapters/feeds/recording/recording-source.ts'
export { type SimulationOptions, type SimulationResult, simulate } from './simulation/simulate.ts'
