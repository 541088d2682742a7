// A fake exchange on which every subject trades once a second, one subject after the other.
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { startFakeBinance } from '../engine.ts'
import { parentInput, serveParent } from './parent-link.ts'

await serveParent(async () => {
  const { symbols } = parentInput(z.object({ symbols: z.array(z.string()) }))
  const exchange = await startFakeBinance({ symbols })
  let isOver = false
  const trading = (async () => {
    const startedAt = Date.now()
    for (let count = 0; !isOver; count += 1) {
      await setTimeout(Math.max(0, startedAt + (count * 1_000) / symbols.length - Date.now()))
      const price = 100 + (count % 997) / 8
      exchange.publishTrade({ symbol: symbols[count % symbols.length] as string, at: Date.now(), price, quantity: 1 })
    }
  })()
  return {
    value: { restUrl: exchange.restUrl, streamUrl: exchange.streamUrl },
    async stop() {
      isOver = true
      await trading
      await exchange.close()
    },
  }
})
