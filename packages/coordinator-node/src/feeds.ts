/**
 * Sources of records for the `from` of a feed: from ccxt, JSON over HTTP, files, or your own.
 *
 * @packageDocumentation
 */

export { type CcxtSourceOptions, ccxtSource } from './adapters/feeds/ccxt/ccxt-source.ts'
export { pollJson } from './adapters/feeds/json/poll-json.ts'
export type { JsonTimeFormat, PollJsonOptions } from './adapters/feeds/json/poll-json-options.ts'
export {
  createRecordingSource,
  type RecordingFile,
  type RecordingOptions,
  type RecordingSeries,
} from './adapters/feeds/recording/index.ts'
export { CrunchError } from './domain/errors.ts'
export type { FeedScope } from './domain/feed-record.ts'
export {
  FeedInterrupted,
  type FeedOffer,
  type FeedSource,
  type FeedSourceContext,
  type FeedSourceFactory,
  type SourceRecord,
} from './ports/feed-source.ts'
export type { Log } from './ports/log.ts'
