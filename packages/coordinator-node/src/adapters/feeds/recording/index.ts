export { archiveDays, isArchiveFolder } from './archive-folder.ts'
export { createRecordingSource } from './create-recording-source.ts'
export type { RecordingFile, RecordingOptions, RecordingSeries } from './recording-options.ts'
