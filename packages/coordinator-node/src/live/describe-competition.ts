import type { AnyContract } from '../contract/crunch-contract.ts'
import { answerLimitsOf, type ContractFeed, resolveContract } from '../contract/resolved-contract.ts'
import { schemaFields } from '../contract/schema-fields.ts'
import { feedScopeKey } from '../domain/feed-record.ts'
import type { CompetitionFacts } from '../report/routes/competition/competition-schema.ts'
import { windowKey } from '../report/rows/row-fields.ts'

/** The rules of a competition for people, as its contract says. */
export function describeCompetition(contract: AnyContract): CompetitionFacts {
  const resolved = resolveContract(contract)
  const { prediction, score, leaderboard, checkpoint, truth, input } = contract
  const unit = score.unit ?? null
  return {
    name: contract.name,
    feeds: resolved.feeds.map(feedFacts),
    baselines: [...resolved.organizer.baselines],
    question: {
      schedules: resolved.schedules.map(({ key, scope, everyMs, horizonMs, stepMs, on }) => ({
        ...{ key, ...scope, on },
        ...{ every: everyMs / 1_000, horizon: horizonMs / 1_000, step: stepMs / 1_000 },
      })),
      input: { ...valueFacts(input.schema, 'output'), window: resolved.inputWindowMs / 1_000 },
      answer: {
        ...valueFacts(prediction.schema, 'input'),
        timeout: resolved.timeoutMs / 1_000,
        max_values: answerLimitsOf(contract).maxValues,
      },
      missing: typeof prediction.missing === 'function' ? 'own' : (prediction.missing ?? 'worst'),
      reveal: prediction.reveal ?? 'with truth',
    },
    truth: valueFacts(truth.schema, 'output'),
    score: valueFacts(score.schema, 'output', { [leaderboard.value]: unit }),
    ranking: {
      ...{ field: leaderboard.value, unit, direction: leaderboard.direction, rank_by: leaderboard.rankBy },
      windows: resolved.windows.map(({ name, lengthMs }) => ({ name, key: windowKey(name), length: lengthMs / 1_000 })),
      aggregation: leaderboard.aggregate === undefined ? 'mean' : 'own',
      own_order: leaderboard.rank !== undefined,
      newcomers: resolved.newcomers,
      min_coverage: resolved.minRankCoverage,
      snapshot_every: resolved.snapshotEveryMs / 1_000,
      metrics: [...(contract.snapshot.metrics ?? [])],
    },
    pay: {
      every: resolved.checkpointEveryMs / 1_000,
      min_coverage: resolved.minPayCoverage,
      ...emissionFacts(checkpoint),
    },
  }
}

function valueFacts(
  schema: AnyContract['score']['schema'],
  io: 'input' | 'output',
  units: Readonly<Record<string, string | null>> = {},
) {
  const fields = schemaFields(schema, io)
  return {
    description: schema.description ?? null,
    fields: fields?.map((field) => ({ ...field, unit: field.unit ?? units[field.name] ?? null })) ?? null,
  }
}

function feedFacts({ scope, gate }: ContractFeed): CompetitionFacts['feeds'][number] {
  if (gate === null) return { ...scope, gate: null }
  const { frozenAfter, maxJump, agree } = gate
  return {
    ...scope,
    gate: {
      frozen_after: frozenAfter,
      max_jump: maxJump === null ? null : { field: maxJump.watch, limit: maxJump.limit },
      agree:
        agree === null
          ? null
          : { field: agree.watch, within: agree.within, with: `${feedScopeKey(agree.peer.scope)} ${agree.peer.watch}` },
    },
  }
}

function emissionFacts({ emission }: AnyContract['checkpoint']): Pick<CompetitionFacts['pay'], 'emission' | 'floor'> {
  const { name, parameters, payAbove } = emission
  return {
    emission: { name, parameters: parameters === undefined ? null : { ...parameters } },
    floor: payAbove === undefined ? null : { baseline: payAbove.baseline ?? null, value: payAbove.value ?? null },
  }
}
