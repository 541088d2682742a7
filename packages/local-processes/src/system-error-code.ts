/** The `code` of a Node system error (`ENOENT`, ...), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * A handler for `.catch` that returns `value` when a file, folder or process is missing, and throws every other error.
 * @param codes the errors that mean "missing"
 */
export function whenMissing<Value>(value: Value, codes: readonly string[] = ['ENOENT']): (error: unknown) => Value {
  return (error) => {
    if (codes.includes(systemErrorCode(error) ?? '')) return value
    throw error
  }
}
