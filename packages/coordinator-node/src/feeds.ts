export {
  createRecordingSource,
  type RecordingFile,
  type RecordingOptions,
  type RecordingSeries,
} from './adapters/feeds/recording/index.ts'
