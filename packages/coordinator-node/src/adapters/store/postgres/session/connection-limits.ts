/** How long a store waits for the database, in milliseconds, before it gives a connection up. */
export interface ConnectionLimits {
  /** Time limit of a statement, enforced by the server. */
  readonly statementMs: number
  /** Time limit of a call: longer than a statement, so that a healthy connection in use receives data within it. */
  readonly callMs: number
  /** How often a connection on which only the database sends is checked, and how long a check may take. */
  readonly pingEveryMs: number
  readonly pingMs: number
}

export const connectionLimits: ConnectionLimits = {
  statementMs: 60_000,
  callMs: 90_000,
  pingEveryMs: 5_000,
  pingMs: 10_000,
}

/** For the report worker: web pages give an answer up after 15 s, and show nothing then. */
export const reportingLimits: ConnectionLimits = { ...connectionLimits, statementMs: 10_000, callMs: 13_000 }
