import { afterEach, beforeEach, describe } from 'vitest'
import type { Store } from './store.ts'
import { activityTests } from './store-activity.testsuite.ts'
import { backfillTests } from './store-backfill.testsuite.ts'
import { eraTests } from './store-era.testsuite.ts'
import { feedTests } from './store-feed.testsuite.ts'
import { jsonTests } from './store-json.testsuite.ts'
import { keyTests } from './store-keys.testsuite.ts'
import { oneModelTests } from './store-one-model.testsuite.ts'
import { pageTests } from './store-pages.testsuite.ts'
import { periodTests } from './store-period.testsuite.ts'
import { predictionTests } from './store-prediction.testsuite.ts'
import { progressTests } from './store-progress.testsuite.ts'
import { retentionTests } from './store-retention.testsuite.ts'
import { retirementTests } from './store-retirement.testsuite.ts'
import { roundListTests } from './store-rounds.testsuite.ts'
import { seriesTests } from './store-series.testsuite.ts'
import { settlementTests } from './store-settlement.testsuite.ts'
import { workerTests } from './store-worker.testsuite.ts'

export interface OpenedStore {
  readonly store: Store
  /** Opens another store on the same data, as another worker would; absent if data cannot be shared. */
  readonly reopen?: () => Promise<Store>
  /** Closes all opened stores and removes the data. */
  readonly cleanup: () => Promise<void>
}

/** The context of a test: an empty store of its own. */
export interface StoreUnderTest {
  readonly store: Store
  /** A second store on the same data; the same store if data cannot be shared. */
  readonly other: () => Promise<Store>
}

/** Conformance suite for stores: tests all guarantees in the comments of `store.ts`. Each test gets an empty store from `open`. */
export function storeTestsuite(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store: ${name}`, () => {
    let opened: OpenedStore | undefined
    const current = (): OpenedStore => {
      if (opened === undefined) throw new Error('no store is open outside a test')
      return opened
    }
    const underTest: StoreUnderTest = {
      get store() {
        return current().store
      },
      other: async () => (await current().reopen?.()) ?? current().store,
    }
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened?.cleanup()
      opened = undefined
    })
    describe('feed', () => feedTests(underTest))
    describe('backfill', () => backfillTests(underTest))
    describe('retirement', () => retirementTests(underTest))
    describe('prediction', () => predictionTests(underTest))
    describe('activity', () => activityTests(underTest))
    describe('pages', () => pageTests(underTest))
    describe('settlement', () => settlementTests(underTest))
    describe('periods', () => periodTests(underTest))
    describe('list of rounds', () => roundListTests(underTest))
    describe('one model', () => oneModelTests(underTest))
    describe('series', () => seriesTests(underTest))
    describe('eras', () => eraTests(underTest))
    describe('json', () => jsonTests(underTest))
    describe('progress', () => progressTests(underTest))
    describe('retention', () => retentionTests(underTest))
    describe('keys', () => keyTests(underTest))
    describe('workers', () => workerTests(underTest))
  })
}
