import type { FeedSource } from '../src/ports/feed-source.ts'
import { changedContract, market } from './sample-definition.ts'

/** A source that ignores the abort signal: its streams and histories never end. */
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

/** The sample contract with a source that ignores the abort signal. */
export default changedContract({ feed: { ...market, from: () => hangingSource } })
