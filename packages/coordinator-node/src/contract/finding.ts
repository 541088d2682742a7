/** A problem of a contract: place, cause and fix. */
export interface Finding {
  /** Path in the contract, such as `prediction.schedule[0].horizon`. */
  readonly path: string
  readonly cause: string
  readonly fix: string
}

/** `path: cause; fix`, one per line. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ path, cause, fix }) => `  - ${path}: ${cause}; ${fix}`).join('\n')
}
