import type { FeedSource } from '../src/ports/feed-source.ts'
import { changedContract, market } from './sample-contract.ts'

/** A source of an author who does not know about signals: what is asked of it never ends. */
const hangingSource: FeedSource = {
  describe: async () => [{ source: 'binance', subjects: 'any', kind: 'candle', granularities: 'any' }],
  async *stream(_scopes, _from, _signal, onOpen) {
    onOpen?.()
    await new Promise(() => {})
  },
  async *history() {
    await new Promise(() => {})
  },
}

/** The sample contract, with a source that takes no notice of the end. */
export default changedContract({ feed: { ...market, from: () => hangingSource } })
