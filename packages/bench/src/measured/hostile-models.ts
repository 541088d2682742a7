import { setTimeout } from 'node:timers/promises'
import { type GrpcModelRunner, steadyNodeArguments } from '@crunch/coordinator-node/internal'
import { z } from 'zod'
import type { Log } from '../engine.ts'
import { hostileId, hostileModels, listModels } from '../hostile/hostile-models.ts'
import { runHostileRounds, warmUpModels } from '../hostile/hostile-rounds.ts'
import { connectHostile } from '../hostile/hostile-site.ts'
import { readHostileStatus } from '../hostile/hostile-status.ts'
import type { Figures } from '../measurements.ts'
import { percentile } from '../percentile.ts'
import { startChild } from '../processes/child-process.ts'

const goodCount = 40
/** Fifty processes share the cores: two rounds a second leave each of them time to answer, so that waiting is not what is measured. */
const everyMs = 500
const timeoutMs = 500
/**
 * Models of the same code that have answered equally often are compiled in the same round, and a round of forty
 * compilations is not about the hostile ones. So they come in groups, each so many calls after the one before.
 */
const groupSize = 4
const warmUpCalls = 300
const startLimitMs = 60_000
/** Of each part; with hostile models it goes on until the last of them is in quarantine, or for so long. */
const roundCount = 80
const maxRoundCount = 120
/** Parts with and without them take turns, on the same forty processes: what else the machine does falls on both. */
const pairCount = 5
/**
 * One pair goes before them that is not counted. Whatever fails for the first time makes V8 throw away the code that was
 * compiled for calls that all succeed, and compile it again for either kind, which serves both parts from then on.
 */
const warmUpPairCount = 1

const siteSchema = z.object({
  port: z.number(),
  modelsFile: z.string(),
  submissionsDirectory: z.string(),
  statusFile: z.string(),
})
type Site = z.output<typeof siteSchema>

interface Part {
  readonly durationsMs: readonly number[]
  readonly missingCount: number
}

interface Pair {
  readonly alone: Part
  readonly together: Part
  /** Seconds until each hostile model was in quarantine, by name. */
  readonly endings: ReadonlyMap<string, number>
}

/** What ten hostile models cost forty good ones, and how long it takes until each is in quarantine with its reason. */
export async function withHostileModels(log: Log): Promise<Figures> {
  const ending = new AbortController()
  const child = await startChild({
    module: new URL('../processes/hostile-orchestrator-process.ts', import.meta.url),
    input: { goodCount: groupSize },
    nodeArguments: steadyNodeArguments,
    signal: ending.signal,
  })
  try {
    const site = siteSchema.parse(child.value)
    const runner = await connectHostile(site.port, log)
    try {
      return await measure(site, runner)
    } finally {
      await runner.close()
    }
  } finally {
    ending.abort()
    await child.stop()
  }
}

async function measure(site: Site, runner: GrpcModelRunner): Promise<Figures> {
  await runner.settled()
  for (let count = groupSize; count <= goodCount; count += groupSize) {
    await listModels(site, { goodCount: count })
    await connected(runner, count)
    await warmUpModels(runner, warmUpCalls)
  }
  const askUntil = (isOver: (done: number) => boolean | Promise<boolean>) =>
    runHostileRounds(runner, { goodCount, everyMs, timeoutMs, isOver })
  const ask = (count: number) => askUntil((done) => done === count)
  const pairs: Pair[] = []
  for (let generation = 1; generation <= warmUpPairCount + pairCount; generation += 1) {
    await listModels(site, { goodCount })
    const alone = asPart(await ask(roundCount))
    const startedAt = Date.now()
    await listModels(site, { goodCount, generation })
    const isOver = async (done: number) =>
      done >= maxRoundCount || (done >= roundCount && (await areQuarantined(site, generation)))
    const together = asPart(await askUntil(isOver))
    pairs.push({ alone, together, endings: await quarantines(site, generation, startedAt) })
  }
  return summarize(pairs, (await readHostileStatus(site.statusFile)).peakMemoryMb)
}

/** Answers that did not come are counted in every pair, and how long a quarantine took; times only after the warm-up. */
function summarize(pairs: readonly Pair[], orchestratorMemory: number): Figures {
  const p99 = (part: 'alone' | 'together') =>
    percentile(
      pairs.slice(warmUpPairCount).flatMap((pair) => pair[part].durationsMs),
      0.99,
    )
  const missing = (part: 'alone' | 'together') => pairs.reduce((sum, pair) => sum + pair[part].missingCount, 0)
  const slowest = (name: string) => Math.max(...pairs.map(({ endings }) => endings.get(name) ?? Number.NaN))
  return {
    aloneP99: p99('alone'),
    togetherP99: p99('together'),
    share: p99('together') / p99('alone'),
    missing: missing('together'),
    missingAlone: missing('alone'),
    ...Object.fromEntries(hostileModels.map(({ name }) => [name, slowest(name)])),
    orchestratorMemory,
  }
}

async function connected(runner: GrpcModelRunner, count: number): Promise<void> {
  const giveUpAt = performance.now() + startLimitMs
  while (runner.models().length < count) {
    if (performance.now() > giveUpAt) throw new Error(`only ${runner.models().length} of ${count} models are connected`)
    await setTimeout(100)
  }
}

function asPart({
  durationsMs,
  missing,
}: {
  readonly durationsMs: readonly number[]
  readonly missing: readonly string[]
}): Part {
  return { durationsMs, missingCount: missing.length }
}

async function areQuarantined(site: Site, generation: number): Promise<boolean> {
  const { models } = await readHostileStatus(site.statusFile)
  const gone = new Set(models.filter(({ quarantinedAt }) => quarantinedAt !== null).map(({ id }) => id))
  return hostileModels.every(({ name }) => gone.has(hostileId(name, generation)))
}

/** Seconds until each hostile model was in quarantine, by name. Throws when one is not, or not for its own reason. */
async function quarantines(site: Site, generation: number, startedAt: number): Promise<ReadonlyMap<string, number>> {
  const { models } = await readHostileStatus(site.statusFile)
  return new Map(
    hostileModels.map(({ name, ending }) => {
      const found = models.find(({ id }) => id === hostileId(name, generation))
      if (found === undefined || found.quarantinedAt === null || !ending.test(found.failure)) {
        throw new Error(`the hostile model "${name}" is not in quarantine for its own reason, but: ${found?.failure}`)
      }
      return [name, (found.quarantinedAt - startedAt) / 1_000]
    }),
  )
}
