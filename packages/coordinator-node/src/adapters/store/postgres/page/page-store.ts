import type { PageReads } from '../../../../ports/reads/page-reads.ts'
import type { Sql } from '../session/connect.ts'
import { createFieldBucketStore } from './field-bucket-store.ts'
import { createOneModelStore } from './one-model-store.ts'
import { createOperationsStore } from './operations-store.ts'
import { createRankingStore } from './ranking-store.ts'
import { createRoundListStore } from './round-list-store.ts'

export function createPageStore(sql: Sql): PageReads {
  return {
    ...createRankingStore(sql),
    ...createOperationsStore(sql),
    ...createRoundListStore(sql),
    ...createFieldBucketStore(sql),
    ...createOneModelStore(sql),
  }
}
