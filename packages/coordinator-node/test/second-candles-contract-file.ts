import { candles } from '@crunch/coordinator-node'
import { changedContract } from './sample-definition.ts'

/** The sample contract on candles of one second. */
export default changedContract({
  feed: candles({ source: 'binance', subjects: ['BTCUSDT'], granularity: '1s' }),
  prediction: { schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '5m' }] },
})
