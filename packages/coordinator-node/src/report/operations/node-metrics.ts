import { Counter, Gauge, type Registry } from 'prom-client'
import { feedScopeKey } from '../../domain/feed-record.ts'
import { takesPart } from '../../domain/models/model.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'
import type { ReportContext } from '../report-context.ts'
import { createAnswerMetrics } from './answer-metrics.ts'
import { databaseReason, readInTime } from './state-reasons.ts'

/** Scrapes within this time share one read of the database. */
const sharedMs = 5_000

/** What the stored rows say. Without the database, the gauges have no value, and `crunch_database_up` is 0. */
export interface NodeMetrics {
  refresh(): Promise<void>
}

type Facts = Awaited<ReturnType<typeof readFacts>>

export function createNodeMetrics(
  registry: Registry,
  report: ReportContext,
  monotonicMs: () => number = () => performance.now(),
): NodeMetrics {
  const up = new Gauge({
    ...{ name: 'crunch_database_up', help: '1 if the database answers in time.', registers: [registry] },
  })
  const info = new Gauge({
    ...{ name: 'crunch_build_info', help: 'Always 1.', registers: [registry], labelNames: ['version'] },
  })
  info.set({ version: report.info.version }, 1)
  const alarms = new Gauge({
    ...{ name: 'crunch_standstills', help: 'Stages of the pipeline that are overdue.', registers: [registry] },
  })
  const answers = createAnswerMetrics(registry)
  const stored = createStoredGauges(registry, report)
  let readAtMs = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined

  async function read(): Promise<void> {
    try {
      const facts = await readInTime(report, async (reads) => {
        const found = await readFacts(reads, report)
        await answers.read(reads, found.progress, found.now)
        return found
      })
      stored.set(facts)
      up.set(1)
    } catch (error) {
      stored.clear()
      databaseReason(error, report)
      up.set(0)
    }
  }

  return {
    async refresh() {
      alarms.set(report.progress?.().alarms.length ?? 0)
      if (running === undefined && monotonicMs() - readAtMs >= sharedMs) {
        running = read().finally(() => {
          running = undefined
          readAtMs = monotonicMs()
        })
      }
      await running
    },
  }
}

/** None of these grows with the history of the competition. */
async function readFacts(reads: ReportReads, { clock }: ReportContext) {
  const now = await clock.refresh()
  const [feeds, models, rounds, progress] = await Promise.all([
    reads.feedStates(),
    reads.models(),
    reads.roundCounts(),
    reads.pipelineProgress(now),
  ])
  return { now, feeds, models, rounds, progress }
}

function createStoredGauges(registry: Registry, { contract }: ReportContext) {
  const registers = [registry]
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `crunch_${name}`, help, registers, labelNames })
  const rounds = new Counter({
    ...{ name: 'crunch_rounds_total', help: 'Rounds of the whole competition.', registers, labelNames: ['outcome'] },
  })
  const waiting = gauge('rounds_waiting', 'Open rounds, by what they wait for.', 'for')
  const lag = gauge('settlement_lag_seconds', 'For how long the oldest round could be settled; 0 without one.')
  const models = gauge('models', 'Models by whether they take part now.', 'state')
  const feedUp = gauge('feed_up', '1 if the status of the feed is up.', 'feed')
  const feedLag = gauge('feed_lag_seconds', 'Age of the newest record of the feed.', 'feed')
  const feedRecords = gauge('feed_records', 'Stored records of the feed.', 'feed')
  const beats = gauge('worker_heartbeat_age_seconds', 'Since the last heartbeat of the worker.', 'worker')
  const work = gauge('worker_work_age_seconds', 'Since the worker last finished a pass over its work.', 'worker')
  const problems = gauge('worker_failing', '1 if the newest pass of the worker failed.', 'worker')
  const all = [rounds, waiting, lag, models, feedUp, feedLag, feedRecords, beats, work, problems]

  function clear(): void {
    for (const metric of all) metric.reset()
    // A gauge without labels starts at 0, which would be a claim.
    lag.remove()
  }
  clear()

  function setFeeds({ feeds, now }: Facts): void {
    for (const { scope, status, watermarkAt, recordCount } of feeds) {
      const feed = feedScopeKey(scope)
      // Series of earlier contracts stand still without a fault.
      if (!contract.feeds.includes(feed)) continue
      feedUp.set({ feed }, status === 'up' ? 1 : 0)
      feedRecords.set({ feed }, recordCount)
      if (watermarkAt !== null) feedLag.set({ feed }, (now - watermarkAt) / 1_000)
    }
  }

  return {
    clear,
    set(facts: Facts): void {
      clear()
      const { openedCount, unresolvedCount, voidCount, missedCount } = facts.rounds
      rounds.inc({ outcome: 'resolved' }, Math.max(0, openedCount - unresolvedCount - voidCount))
      rounds.inc({ outcome: 'void' }, voidCount)
      rounds.inc({ outcome: 'missed' }, missedCount)
      const { openRounds, heartbeats } = facts.progress
      const sum = (key: 'unansweredCount' | 'ripeCount') => openRounds.reduce((total, one) => total + one[key], 0)
      const [unanswered, ripe] = [sum('unansweredCount'), sum('ripeCount')]
      waiting.set({ for: 'answers' }, unanswered)
      waiting.set({ for: 'settlement' }, ripe)
      waiting.set({ for: 'truth' }, Math.max(0, unresolvedCount - unanswered - ripe))
      lag.set(Math.max(0, ...openRounds.map(({ firstRipeAt }) => (facts.now - (firstRipeAt ?? facts.now)) / 1_000)))
      const active = facts.models.filter((model) => takesPart(model, facts.now)).length
      models.set({ state: 'active' }, active)
      models.set({ state: 'retired' }, facts.models.length - active)
      setFeeds(facts)
      for (const { worker, silentMs, sinceWorkMs, problem } of heartbeats) {
        beats.set({ worker }, silentMs / 1_000)
        if (sinceWorkMs !== null) work.set({ worker }, sinceWorkMs / 1_000)
        problems.set({ worker }, problem === null ? 0 : 1)
      }
    },
  }
}
