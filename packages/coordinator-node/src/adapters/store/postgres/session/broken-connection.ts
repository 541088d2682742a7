/** The connection was lost or given up; no statement is at fault. */
export class BrokenConnection extends Error {
  override readonly name = 'BrokenConnection'
  readonly code = 'CONNECTION_BROKEN'
}
