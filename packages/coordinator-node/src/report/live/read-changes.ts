import type { Change } from '../../ports/store-workers.ts'
import type { Viewer } from '../access/viewer.ts'
import type { ReportContext } from '../report-context.ts'
import { checkpointRows } from '../routes/checkpoints/checkpoints.ts'
import { feedRows } from '../routes/feeds/feeds.ts'
import { leaderboardRows } from '../routes/leaderboard/leaderboard.ts'
import { modelRow } from '../routes/models/models.ts'
import { predictionRow } from '../routes/predictions/predictions.ts'
import { roundFields } from '../routes/rounds/one-round.ts'
import { answerGate } from '../rows/hidden-answers.ts'
import { isEnsemble } from '../rows/row-fields.ts'
import type { Topic } from './topics.ts'

/** What an event says, as a viewer may see it. */
export interface News {
  readonly topic: Topic
  data(viewer: Viewer): Promise<unknown>
}

export interface Reading {
  readonly news: readonly News[]
  /** Call it once the news are published: then they are known. Until then, the next reading gives them again. */
  remember(): void
}

type ListTopic = Exclude<Topic, 'rounds' | 'predictions'>

export const listTopics: readonly ListTopic[] = ['leaderboard', 'feeds', 'checkpoints', 'models']
/** Older ones do not change any more. */
const checkpointCount = 20

/** Reads what a change left behind, once for all viewers. It remembers the rows of each list, so that only new ones are news. */
export function createChangeReader(report: ReportContext) {
  const { reads, contract } = report
  const known = new Map<ListTopic, ReadonlySet<string>>()

  /** The parts of a list that change by themselves. A leaderboard is one: its ranks belong together. */
  async function partsOf(topic: ListTopic): Promise<readonly unknown[]> {
    if (topic === 'feeds') return feedRows(report)
    if (topic === 'checkpoints') return (await checkpointRows(reads, contract, { limit: checkpointCount })).reverse()
    if (topic === 'models') return (await reads.models()).map((model) => modelRow(model, contract))
    const rows = await leaderboardRows(reads, contract)
    return rows.length === 0 ? [] : [rows.filter((row) => !isEnsemble(row.model_id))]
  }

  async function readList(topic: ListTopic): Promise<Reading> {
    const before = known.get(topic)
    const parts = (await partsOf(topic)).map((part) => ({ part, text: JSON.stringify(part) }))
    const fresh = before === undefined ? [] : parts.filter(({ text }) => !before.has(text))
    return {
      news: fresh.map(({ part }) => ({ topic, data: async () => part })),
      remember: () => known.set(topic, new Set(parts.map(({ text }) => text))),
    }
  }

  async function newsOfRound(id: string): Promise<readonly News[]> {
    const [found, models] = await Promise.all([reads.roundReport(id), reads.models()])
    // Already pruned.
    if (found === null) return []
    const round = roundFields(found.round)
    const shown = found.predictions.filter(({ prediction }) => !isEnsemble(prediction.modelId))
    const news: News = { topic: 'rounds', data: async () => round }
    if (shown.length === 0) return [news]
    // The event keeps its models for as long as clients can ask for it.
    const asked = new Set(shown.map(({ prediction }) => prediction.modelId))
    const owned = models.filter(({ id }) => asked.has(id))
    const data = async (viewer: Viewer) => {
      const gate = await answerGate(viewer, { models: async () => owned }, contract)
      return shown.map((one) => predictionRow(one, contract, gate))
    }
    return [news, { topic: 'predictions', data }]
  }

  return {
    /** The first reading of a list is what is known, not news. */
    async read(change: Exclude<Change, 'all'>): Promise<Reading> {
      if (!isRound(change)) return readList(change)
      return { news: await newsOfRound(change.slice('round:'.length)), remember: () => undefined }
    },
    /** The rounds asked since, oldest first. */
    async roundsSince(from: number, to: number): Promise<readonly string[]> {
      const rows = await reads.predictionReports({ modelIds: [], from, to, limit: 1_000 })
      return [...new Set(rows.map(({ prediction }) => prediction.roundId))]
    },
  }
}

function isRound(change: Exclude<Change, 'all'>): change is `round:${string}` {
  return change.startsWith('round:')
}
