import { cpus, release, totalmem, type } from 'node:os'

/** What the results were measured on, in one line. */
export function machineText(): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  const memoryGb = Math.round(totalmem() / 1024 ** 3)
  return `${processors.length} cores of ${model}, ${memoryGb} GB, ${type()} ${release()}, Node ${process.version}`
}
