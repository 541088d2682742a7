/** How long a store waits for the database, in milliseconds, before it gives a connection up. */
export interface ConnectionLimits {
  /** How long one statement may take; the server enforces it. */
  readonly statementMs: number
  /** How long one call may take: longer than a statement, so that a healthy connection that is in use receives data within it. */
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

/** For a process that only answers questions of people and programs, who do not wait for a minute. */
export const reportingLimits: ConnectionLimits = { ...connectionLimits, statementMs: 15_000, callMs: 20_000 }
