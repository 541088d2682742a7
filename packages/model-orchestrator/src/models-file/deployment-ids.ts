/**
 * Makes deployment ids, `{model_id}_{YYYYMMDD_HHMMSS_mmm}` in UTC. Coordinators take a known id at a known address for
 * a model that is already set up, so no id is ever given twice: each is at least a millisecond after the one before.
 */
export function createDeploymentIds(now: () => number = Date.now): (modelId: string) => string {
  let lastAt = 0
  return (modelId) => {
    lastAt = Math.max(now(), lastAt + 1)
    const [date = '', time = ''] = new Date(lastAt).toISOString().replaceAll(/[-:Z]/g, '').split('T')
    return `${modelId}_${date}_${time.replace('.', '_')}`
  }
}
