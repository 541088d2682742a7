/** How long a store waits for the database, in milliseconds, before it gives a connection up. */
export interface ConnectionLimits {
  /** Most time one statement may take; the server sees to that. */
  readonly statementMs: number
  /** Most time one call may take: longer than its statements may, so that it ends only calls whose connection fell silent. */
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
