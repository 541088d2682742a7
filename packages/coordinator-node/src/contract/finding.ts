/** Something wrong with a contract: where, why, and what to do about it. */
export interface Finding {
  /** Path in the contract, such as `prediction.schedule[0].horizon`. */
  readonly path: string
  readonly cause: string
  readonly fix: string
}

/** `path: cause; fix`, one a line. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ path, cause, fix }) => `  - ${path}: ${cause}; ${fix}`).join('\n')
}
