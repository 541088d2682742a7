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
/** Fifty processes share the cores: two rounds per second leave each enough time, so that waiting for a core is not measured. */
const everyMs = 500
const timeoutMs = 500
/**
 * Models with the same code and the same number of answers are JIT-compiled in the same round, and forty compilations in
 * one round would distort the result. So models start in groups, this many calls apart.
 */
const groupSize = 4
const warmUpCalls = 300
const startLimitMs = 60_000
/** Limits of each part. A part with hostile models lasts until all of them are in quarantine, at most this long. */
const roundCount = 80
const maxRoundCount = 120
/** Parts with and without hostile models alternate on the same forty processes, so that other load affects both. */
const pairCount = 5
/**
 * The first pair is not counted: the first failures make V8 discard the code that was optimized for successful calls and
 * recompile it for both cases.
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

/** Effect of ten hostile models on forty good ones, and time until each is in quarantine with its reason. */
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

/** Missing answers and times to quarantine count in every pair; answer times only after the warm-up. */
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

/** Seconds until each hostile model was in quarantine, by name. Throws if one is not, or for an unexpected reason. */
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
