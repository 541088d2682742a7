import { cpus, loadavg, release, totalmem, type } from 'node:os'

/** Describes the machine in one line. Call it before measuring, so that the load is that of other processes. */
export function machineText(): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  const memoryGb = Math.round(totalmem() / 1024 ** 3)
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `${processors.length} cores of ${model}, ${memoryGb} GB, ${type()} ${release()}, Node ${process.version}, load before ${load}`
}
