import type { JsonObject } from '../domain/json/json.ts'

/** Writes one line per event: a fixed message and JSON fields (`stage`, `modelId`, `durationMs`). Never called per record. */
export interface Log {
  /** Details for debugging; hidden by default. */
  debug(message: string, fields?: JsonObject): void
  /** Normal operation. */
  info(message: string, fields?: JsonObject): void
  /** A fault that the node survives or repairs by itself. */
  warn(message: string, fields?: JsonObject): void
  /** A fault that an operator has to look at. */
  error(message: string, fields?: JsonObject): void
}

/** For tests and simulations that want no log. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
