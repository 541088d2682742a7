/**
 * Creates deployment ids, `{model_id}_{YYYYMMDD_HHMMSS_mmm}` in UTC. Coordinators assume that a known id at a known
 * address is already set up, so ids must be unique: each is at least a millisecond after the previous one.
 */
export function createDeploymentIds(now: () => number = Date.now): (modelId: string) => string {
  let lastAt = 0
  return (modelId) => {
    lastAt = Math.max(now(), lastAt + 1)
    const [date = '', time = ''] = new Date(lastAt).toISOString().replaceAll(/[-:Z]/g, '').split('T')
    return `${modelId}_${date}_${time.replace('.', '_')}`
  }
}
