/**
 * Throws when this process may not open the given number of files and sockets. Node has already raised its soft limit to
 * the hard limit, so this process cannot raise it further.
 */
export function requireOpenFiles(count: number): void {
  const limit = openFileLimit()
  if (limit >= count) return
  throw new Error(
    `this process may open ${limit} files, and needs ${count}: raise the hard limit, as root: ulimit -Hn ${count}`,
  )
}

function openFileLimit(): number {
  const report: unknown = process.report?.getReport()
  const limits = isObject(report) && isObject(report.userLimits) ? report.userLimits.open_files : undefined
  const soft = isObject(limits) ? limits.soft : undefined
  // Systems that do not report it, such as Windows, have no such limit.
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
