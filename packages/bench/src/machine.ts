import { cpus, loadavg, release, totalmem, type } from 'node:os'

/** What the results are measured on, in one line; the load is that of others, when asked before anything is measured. */
export function machineText(): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  const memoryGb = Math.round(totalmem() / 1024 ** 3)
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `${processors.length} cores of ${model}, ${memoryGb} GB, ${type()} ${release()}, Node ${process.version}, load before ${load}`
}
