import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { highestMaxValues, limitForForms, neededMaxValues } from '../domain/answer-size.ts'
import { nearestName } from '../domain/nearest-name.ts'
import { metrics } from '../domain/statistics/metrics.ts'
import { type Duration, durationMs, formatDuration } from '../domain/time.ts'
import { callAuthor, parseReturned } from './author-code.ts'
import { checkFairness } from './check-fairness.ts'
import { checkFeedValues } from './check-feed-values.ts'
import { checkGates } from './check-gates.ts'
import { checkShape } from './check-shape.ts'
import type { AnyContract, ScheduleEntry } from './crunch-contract.ts'
import type { PayoutContext, RankedModel } from './defaults/emission.ts'
import { shareProblem } from './defaults/share-problem.ts'
import type { FeedDefinition } from './feed-definition.ts'
import type { Finding } from './finding.ts'
import { checkRanking } from './ranking/check-ranking.ts'
import { answerLimitsOf, scheduleKey } from './resolved-contract.ts'
import { sampleInputs, sampleValues } from './sample-values.ts'
import { schemaForms } from './schema-forms.ts'

/**
 * All findings of a contract at once: about its form, and about its content where the form is valid. Types do not exist at
 * run time and contracts may be written in JavaScript, so everything is checked.
 */
export function checkContract(candidate: unknown): Finding[] {
  const shape = checkShape(candidate)
  if (typeof candidate !== 'object' || candidate === null || Array.isArray(candidate)) return shape
  const isRight = (path: string) => !shape.some((finding) => overlap(finding.path, path))
  const contract = candidate as AnyContract
  return [...shape, ...valueChecks.flatMap(({ reads, check }) => (reads.every(isRight) ? check(contract) : []))]
}

/** Each check, with the parts whose valid form it requires. */
const valueChecks: readonly {
  readonly reads: readonly string[]
  readonly check: (contract: AnyContract) => Finding[]
}[] = [
  { reads: ['name'], check: checkName },
  { reads: ['feed', 'prediction.schedule'], check: checkSchedule },
  { reads: ['prediction.timeout', 'prediction.schedule'], check: checkTimeout },
  { reads: ['feed'], check: checkFeedValues },
  { reads: ['feed'], check: checkGates },
  { reads: ['prediction.schema', 'prediction.maxValues'], check: checkMaxValues },
  { reads: ['prediction.call', 'prediction.schedule'], check: checkCall },
  { reads: ['snapshot.metrics', 'snapshot.signal', 'snapshot.actual'], check: checkMetrics },
  {
    reads: ['leaderboard.windows', 'leaderboard.rankBy', 'leaderboard.value', 'score.schema'],
    check: checkLeaderboard,
  },
  { reads: ['leaderboard', 'score.schema'], check: checkRanking },
  { reads: ['snapshot.every', 'checkpoint.every', 'leaderboard.windows'], check: checkPeriods },
  { reads: ['checkpoint.emission'], check: checkEmission },
  { reads: ['baselines', 'leaderboard', 'checkpoint.emission.payAbove'], check: checkFairness },
  {
    reads: ['prediction.schema', 'truth.schema', 'score.schema', 'score.compute', 'leaderboard.value'],
    check: checkScorer,
  },
]

/** Whether one path is the other, or a part of it. */
function overlap(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  return long.startsWith(short) && ['', '.', '['].includes(long.charAt(short.length))
}

function checkName({ name }: AnyContract): Finding[] {
  return /^[A-Za-z0-9][A-Za-z0-9-]*$/.test(name)
    ? []
    : [{ path: 'name', cause: `"${name}" may only contain letters, digits and hyphens`, fix: 'rename it' }]
}

function checkSchedule(contract: AnyContract): Finding[] {
  const feeds: readonly FeedDefinition[] = [contract.feed].flat()
  const entries: readonly ScheduleEntry[] = contract.prediction.schedule
  if (entries.length === 0) {
    return [{ path: 'prediction.schedule', cause: 'is empty: no round would ever open', fix: 'add an entry' }]
  }
  const subjects = feeds.flatMap((feed) => feed.subjects)
  const keys = entries.map(scheduleKey)
  return entries.flatMap((entry, index) => {
    const path = `prediction.schedule[${index}]`
    const feed = feeds.find((candidate) => candidate.subjects.includes(entry.subject))
    if (feed === undefined) {
      const nearest = nearestName(entry.subject, subjects)
      const fix = nearest ? `did you mean "${nearest}"?` : `the feed has ${subjects.join(', ')}`
      return [{ path: `${path}.subject`, cause: `no feed has "${entry.subject}"`, fix }]
    }
    const findings = scheduleLengths(path, entry, feed.granularity)
    const key = scheduleKey(entry)
    if (keys.indexOf(key) !== index) {
      findings.push({
        path: `${path}.key`,
        cause: `"${key}" is already the key of an earlier entry`,
        fix: 'set a key of its own',
      })
    }
    return findings
  })
}

/** Lengths that do not fit the feed's granularity, or each other. */
function scheduleLengths(path: string, entry: ScheduleEntry, granularity: FeedDefinition['granularity']): Finding[] {
  const { every, horizon, step = horizon } = entry
  if (durationMs(horizon) < durationMs(granularity)) {
    const cause = `${horizon} is shorter than the feed's granularity of ${granularity}, so no new record would be known`
    return [{ path: `${path}.horizon`, cause, fix: `use at least ${granularity}` }]
  }
  const findings: Finding[] = []
  // Clock rounds need no record at their instants.
  if (entry.on !== 'clock') {
    const why = {
      every: 'rounds open when a record arrives, so some would be late and others skipped',
      horizon: 'no record would be known at the horizon itself, and the truth would be that of an earlier instant',
    }
    for (const [name, length] of [
      ['every', every],
      ['horizon', horizon],
    ] as const) {
      // biome-ignore format: pairs
      if (isMultiple(length, granularity)) continue
      const cause = `${length} is not a whole multiple of the feed's granularity of ${granularity}: ${why[name]}`
      findings.push({ path: `${path}.${name}`, cause, fix: `use ${nearestMultiple(length, granularity)}` })
    }
  }
  if (!isMultiple(horizon, step)) {
    const cause = `${step} does not divide the horizon of ${horizon} into whole steps`
    findings.push({ path: `${path}.step`, cause, fix: `use ${horizon} or a whole fraction of it` })
  }
  return findings
}

function isMultiple(length: Duration, unit: Duration): boolean {
  return durationMs(length) % durationMs(unit) === 0
}

function nearestMultiple(length: Duration, unit: Duration): Duration {
  const unitMs = durationMs(unit)
  return formatDuration(Math.max(1, Math.round(durationMs(length) / unitMs)) * unitMs)
}

/** Answers that may come after the truth can be known are worthless. */
function checkTimeout({ prediction }: AnyContract): Finding[] {
  const { timeout } = prediction
  const entries: readonly ScheduleEntry[] = prediction.schedule
  const shortest = entries
    .filter((entry) => durationMs(entry.horizon) <= durationMs(timeout))
    .sort((left, right) => durationMs(left.horizon) - durationMs(right.horizon))[0]
  if (shortest === undefined) return []
  return [
    {
      path: 'prediction.timeout',
      cause: `${timeout} reaches the horizon of ${shortest.horizon} of "${scheduleKey(shortest)}", when the truth can be known`,
      fix: `use less than ${shortest.horizon} (MODEL_RUNNER_TIMEOUT_SECONDS replaces it), or lengthen the horizon`,
    },
  ]
}

/** Validation must be short, because no other answer is read during it, and example answers of the schema must fit. */
function checkMaxValues(contract: AnyContract): Finding[] {
  const path = 'prediction.maxValues'
  const { schema } = contract.prediction
  const { maxValues } = answerLimitsOf(contract)
  const forms = schemaForms(schema)
  const highest = limitForForms(highestMaxValues, forms)
  if (maxValues > highest) {
    const cause = `${maxValues} values take too long to check, since unions of the schema may check each one ${forms} times`
    return [{ path, cause, fix: `use at most ${highest}, or z.discriminatedUnion, which checks one form only` }]
  }
  const needed = sampleInputs(schema, 6).map((answer) => neededMaxValues(answer) ?? Number.POSITIVE_INFINITY)
  const lowest = Math.min(...needed)
  if (needed.length === 0 || lowest <= maxValues) return []
  const cause = `${maxValues} is too low for the example answers made from prediction.schema, so they would be refused as too large`
  const smaller = `make answers smaller or flatter: ${highest} values and 16 levels are the most that this schema can have`
  return [{ path, cause, fix: lowest <= highest ? `use at least ${lowest}` : smaller }]
}

const dryRunRound = {
  scheduleKey: 'dry-run',
  subject: 'dry-run',
  performedAt: 0,
  resolvableAt: 60_000,
  horizonMs: 60_000,
  stepMs: 60_000,
}

/** Builds the call to the models once, as a dry run. */
function checkCall(contract: AnyContract): Finding[] {
  const makeArguments = contract.prediction.call?.arguments
  const [entry] = contract.prediction.schedule
  if (makeArguments === undefined || entry === undefined) return []
  const path = 'prediction.call.arguments'
  const fix = "give a list such as [{ type: 'STRING', value: round.subject }]"
  try {
    const given: unknown = makeArguments({ ...dryRunRound, subject: entry.subject })
    return Array.isArray(given) ? [] : [{ path, cause: 'does not give a list', fix }]
  } catch (error) {
    return [{ path, cause: `throws: ${errorText(error)}`, fix }]
  }
}

function checkMetrics({ snapshot }: AnyContract): Finding[] {
  const known = Object.keys(metrics)
  return (snapshot.metrics ?? []).flatMap((name, index) => {
    const path = `snapshot.metrics[${index}]`
    const metric = Object.entries(metrics).find(([candidate]) => candidate === name)?.[1]
    if (metric === undefined) {
      const nearest = nearestName(name, known)
      return [
        {
          path,
          cause: `no metric "${name}" is registered`,
          fix: nearest ? `did you mean "${nearest}"?` : `there are ${known.join(', ')}`,
        },
      ]
    }
    return metric.needs
      .filter((need) => snapshot[need] === undefined)
      .map((need) => ({
        path: `snapshot.${need}`,
        cause: `is missing, and the metric "${name}" needs it`,
        fix: need === 'signal' ? 'add signal: ({ output }) => a number' : 'add actual: ({ truth }) => a number',
      }))
  })
}

function checkLeaderboard({ leaderboard, score }: AnyContract): Finding[] {
  const findings: Finding[] = []
  const names = Object.keys(leaderboard.windows)
  if (!names.includes(leaderboard.rankBy)) {
    const nearest = nearestName(leaderboard.rankBy, names)
    findings.push({
      path: 'leaderboard.rankBy',
      cause: `there is no window "${leaderboard.rankBy}"`,
      fix: nearest ? `did you mean "${nearest}"?` : `the windows are ${names.join(', ')}`,
    })
  }
  if (score.schema instanceof z.ZodObject) {
    const fields = Object.keys(score.schema.shape)
    if (!fields.includes(leaderboard.value)) {
      findings.push({
        path: 'leaderboard.value',
        cause: `a score has no field "${leaderboard.value}"`,
        fix: `its fields are ${fields.join(', ')}`,
      })
    }
  }
  return findings
}

function checkPeriods({ snapshot, checkpoint, leaderboard }: AnyContract): Finding[] {
  const everyMs = durationMs(snapshot.every)
  const findings: Finding[] = []
  if (durationMs(checkpoint.every) % everyMs !== 0) {
    findings.push({
      path: 'checkpoint.every',
      cause: `${checkpoint.every} is not a whole number of snapshot periods of ${snapshot.every}`,
      fix: 'change one of the two, so that every snapshot lies in one checkpoint',
    })
  }
  for (const [name, length] of Object.entries<string>(leaderboard.windows)) {
    if (durationMs(length) < everyMs) {
      findings.push({
        path: `leaderboard.windows.${name}`,
        cause: `${length} is shorter than one snapshot period of ${snapshot.every}, so it would always be empty`,
        fix: `use at least ${snapshot.every}`,
      })
    }
  }
  return findings
}

/** Divides a payout among 1 to 12 models, and among four of equal rank, as a dry run. */
function checkEmission({ checkpoint: { emission }, leaderboard: { direction } }: AnyContract): Finding[] {
  const path = 'checkpoint.emission.shares'
  const floor = emission.payAbove === undefined ? null : (emission.payAbove.value ?? 0)
  const payout: PayoutContext = { direction, floor }
  const dryRuns = [...Array.from({ length: 12 }, (_, index) => rankedModels(index + 1, payout)), tiedModels(4, payout)]
  for (const ranked of dryRuns) {
    let given: unknown
    try {
      given = emission.shares(ranked, payout)
    } catch (error) {
      return [{ path, cause: `throws for ${ranked.length} models: ${String(error)}`, fix: 'fix the function' }]
    }
    const problem = shareProblem(given, ranked)
    if (problem !== null) {
      const fix = 'return one share per model, none negative, not larger for a worse rank, with the sum 100'
      return [{ path, cause: `gives ${problem}`, fix }]
    }
  }
  return []
}

/** Models with values in the direction of the contract, better than its floor; without a floor, their values are positive. */
function rankedModels(count: number, { direction, floor }: PayoutContext): RankedModel[] {
  return Array.from({ length: count }, (_, index) => {
    const lead = count - index
    const value = direction === 'desc' ? (floor ?? 0) + lead : floor === null ? index + 1 : floor - lead
    return { modelId: `model-${index}`, rank: index + 1, value }
  })
}

function tiedModels(count: number, payout: PayoutContext): RankedModel[] {
  return rankedModels(count, payout).map((model, _, [best = model]) => ({ ...best, modelId: model.modelId }))
}

/** Scores varied outputs and truths: a scorer with the same result for all of them is a stub. */
function checkScorer({ prediction, truth, score, leaderboard }: AnyContract): Finding[] {
  const path = 'score.compute'
  const author = { path, owner: score, run: score.compute }
  const schema = { path: 'score.schema', of: score.schema }
  const outputs = sampleValues(prediction.schema, 6)
  const truths = sampleValues(truth.schema, 6)
  const values: number[] = []
  const errors: string[] = []
  for (const output of outputs) {
    for (const known of truths) {
      try {
        const returned = callAuthor(author, { output, truth: known, round: dryRunRound })
        const value = parseReturned(author, schema, returned, (parsed) => parsed as Readonly<Record<string, unknown>>)
        const ranked = value[leaderboard.value]
        if (typeof ranked !== 'number') {
          return [
            { path: 'leaderboard.value', cause: `score.${leaderboard.value} is not a number`, fix: 'rank by a number' },
          ]
        }
        values.push(ranked)
      } catch (error) {
        errors.push(errorText(error))
      }
    }
  }
  if (values.length === 0 && errors.length > 0) {
    return [{ path, cause: `fails for every sample: ${errors[0]}`, fix: 'fix the function, or narrow the schemas' }]
  }
  if (values.length >= 6 && values.every((value) => value === values[0])) {
    return [
      {
        path,
        cause: `gives ${leaderboard.value} = ${values[0]} for ${values.length} varied predictions and truths: it looks like a stub`,
        fix: 'compute the score from output and truth',
      },
    ]
  }
  return []
}
