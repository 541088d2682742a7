import type { JsonObject } from '../domain/json/json.ts'

/** One line an event: a fixed message and fields (`stage`, `modelId`, `durationMs`). Nothing per record on the hot path. */
export interface Log {
  debug(message: string, fields?: JsonObject): void
  info(message: string, fields?: JsonObject): void
  warn(message: string, fields?: JsonObject): void
  error(message: string, fields?: JsonObject): void
}

/** For tests and simulations that want no log. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
