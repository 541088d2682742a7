import type { Store } from '../../ports/store.ts'
import type { Change } from '../../ports/store-workers.ts'

/** The writes of a store whose results the report API shows; each announces what it changed once it is stored. */
export function announceChanges(store: Omit<Store, 'subscribeChanges'>, announce: (change: Change) => void) {
  function announcing<Args extends readonly unknown[], Result>(
    change: Change,
    write: (...args: Args) => Promise<Result>,
    isChange: (result: Result) => boolean = () => true,
  ): (...args: Args) => Promise<Result> {
    return async (...args) => {
      const result = await write(...args)
      if (isChange(result)) announce(change)
      return result
    }
  }
  const writes = {
    appendRecords: announcing(
      'feeds',
      store.appendRecords,
      ({ inserted, revisions }) => inserted.length + revisions.length > 0,
    ),
    appendPast: announcing('feeds', store.appendPast, (count) => count > 0),
    ensureFeeds: announcing('feeds', store.ensureFeeds),
    putFeedStatus: announcing('feeds', store.putFeedStatus),
    registerModels: announcing('models', store.registerModels),
    beginRetirements: announcing('models', store.beginRetirements),
    endRetirements: announcing('models', store.endRetirements),
    reassignModel: announcing('models', store.reassignModel, (reassignment) => reassignment !== null),
    closePeriod: announcing('leaderboard', store.closePeriod, (isNew) => isNew),
    addCheckpoint: announcing('checkpoints', store.addCheckpoint, (isNew) => isNew),
    acknowledgeCheckpoint: announcing('checkpoints', store.acknowledgeCheckpoint),
    moveCheckpoint: announcing('checkpoints', store.moveCheckpoint, (moved) => moved !== null),
    beginEra: announcing('all', store.beginEra, (begun) => begun !== null),
    async openRound(round) {
      const isNew = await store.openRound(round)
      if (isNew) announce(`round:${round.id}`)
      return isNew
    },
    async recordAnswers(roundId, answeredAt, predictions) {
      const recorded = await store.recordAnswers(roundId, answeredAt, predictions)
      if (recorded.isFirst) announce(`round:${roundId}`)
      return recorded
    },
    async settleRounds(request, decide) {
      const settled: string[] = []
      const result = await store.settleRounds(request, (due) => {
        const settlement = decide(due)
        if (settlement.kind !== 'wait') settled.push(due.round.id)
        return settlement
      })
      for (const id of settled) announce(`round:${id}`)
      return result
    },
  } satisfies Partial<Store>
  return writes
}
