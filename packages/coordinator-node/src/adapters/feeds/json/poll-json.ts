import { CrunchError } from '../../../domain/errors.ts'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { type Instant, parseDuration } from '../../../domain/time.ts'
import type { FeedSource, FeedSourceContext, FeedSourceFactory } from '../../../ports/feed-source.ts'
import { silentLog } from '../../../ports/log.ts'
import { getText, type HttpAnswer } from '../http/get-text.ts'
import { excerpt, parseAnswer, refusal } from '../http/read-answer.ts'
import { createPollingSource } from '../polling/create-polling-source.ts'
import { environmentNames, fillEnvironment, fillTemplate } from './fill-template.ts'
import type { PollJsonOptions } from './poll-json-options.ts'
import { createRowReader } from './read-rows.ts'

const defaultRowsPerRequest = 1_000

/**
 * A source that polls JSON over HTTP. Pass it as `from` of a feed. Values have the units of the provider.
 * Throws a `CrunchError` CONTRACT_INVALID for invalid options.
 * @example pollJson({ source: 'weather', url: 'https://api.example.org/{subject}', every: '1m', rows: '$.data[*]', time: '$.at', values: { celsius: '$.temperature' } })
 */
export function pollJson(options: PollJsonOptions): FeedSourceFactory {
  const open = prepare(options)
  return (context) => open(context, Date.now)
}

/** Like {@link pollJson}, with the clock as a parameter for tests. */
export function prepare(options: PollJsonOptions): (context: FeedSourceContext, now: () => Instant) => FeedSource {
  const { source, kind = 'tick', subjects = 'any', rowsPerRequest = defaultRowsPerRequest } = options
  checkOptions(options)
  const hasRange = options.url.includes('{from}')
  const read = createRowReader(options)
  return ({ env, log = silentLog }, now) => {
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [
        name,
        fillEnvironment(value, `the header ${name}`, env),
      ]),
    )
    // Checked at creation, so that a missing key prevents the start.
    const variables = Object.fromEntries(
      environmentNames(options.url).map((name) => [`env:${name}`, fillEnvironment(`{env:${name}}`, 'the url', env)]),
    )
    const warned = new Set<string>()
    const warnOnce = (message: string, reason: string): void => {
      if (!warned.has(message)) log.warn(message, { stage: 'feed', source, reason })
      warned.add(message)
    }
    const { describe, stream, history } = createPollingSource({
      describe: async () => [{ source, subjects, kind, granularities: 'any' }],
      async ask(scope, from, to, signal) {
        const range = encoded(rangeOf(options, scope, from, to))
        const url = new URL(fillTemplate(options.url, 'url', { ...encoded(variables), ...range }))
        const place = `${feedScopeKey(scope)} from ${shownUrl(options, range)}`
        const answer = await getText({ url, headers, signal, place })
        if (answer.status !== 200) throw refused(options, scope, answer, now())
        const fix = `if it stays so, check the url of pollJson, and ${keysOf(options)}`
        return read(parseAnswer(answer, fix), scope, { place, warnOnce })
      },
      everyMs: parseDuration(options.every) ?? 0,
      pageCells: hasRange ? rowsPerRequest : Number.POSITIVE_INFINITY,
      now,
    })
    return hasRange || options.holdsPast === true ? { describe, stream, history } : { describe, stream }
  }
}

function checkOptions(options: PollJsonOptions): void {
  const { url, every, settleAfter, values, rowsPerRequest = 1, kind = 'tick' } = options
  const invalid = (cause: string) => new CrunchError('CONTRACT_INVALID', `pollJson: ${cause}`)
  for (const [name, value] of Object.entries({ every, settleAfter })) {
    if (value !== undefined && parseDuration(value) === undefined) {
      throw invalid(`${name} "${value}" is not a duration; write one such as "15s" or "5m"`)
    }
  }
  if (Object.keys(values).length === 0) throw invalid('values is empty; name at least one value of a record')
  if (!Number.isSafeInteger(rowsPerRequest) || rowsPerRequest < 1) {
    throw invalid(`rowsPerRequest is ${rowsPerRequest}; it must be a whole number, 1 or more`)
  }
  if (url.includes('{from}') !== url.includes('{to}')) throw invalid('url needs both {from} and {to}, or neither')
  const sample = { source: options.source, subject: 'x', kind, granularity: '1m' }
  const variables = Object.fromEntries(environmentNames(url).map((name) => [`env:${name}`, 'x']))
  const filled = fillTemplate(url, 'url', { ...variables, ...rangeOf(options, sample, 0, 0) })
  if (!URL.canParse(filled) || !/^https?:$/.test(new URL(filled).protocol)) {
    throw invalid(`url "${url}" is not an http:// or https:// URL`)
  }
}

function encoded(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encodeURIComponent(value)]))
}

/** The URL without what may be secret: the query, a password, and the values of environment variables. */
function shownUrl({ url }: PollJsonOptions, range: Readonly<Record<string, string>>): string {
  const names = environmentNames(url).map((name) => [`env:${name}`, `{env:${name}}`])
  const filled = fillTemplate(url, 'url', { ...Object.fromEntries(names), ...range })
  return filled.replace(/[?#].*$/s, '').replace(/^(https?:\/\/)[^/]*@/, '$1')
}

function rangeOf(options: PollJsonOptions, { subject }: FeedScope, from: Instant, to: Instant): Record<string, string> {
  if (!options.url.includes('{from}')) return { subject }
  const { timeFormat = 'iso', rangeFormat = timeFormat } = options
  const write = (at: Instant, round: (seconds: number) => number): string => {
    if (rangeFormat === 'ms') return String(at)
    if (rangeFormat === 'us') return `${at}000`
    if (rangeFormat === 'ns') return `${at}000000`
    // Rounded outwards to whole seconds; rows outside the range are dropped later.
    const second = round(at / 1_000)
    if (rangeFormat === 's') return String(second)
    const text = new Date(second * 1_000).toISOString()
    return rangeFormat === 'date' ? text.slice(0, 10) : text.replace('.000', '')
  }
  return { subject, from: write(from, Math.floor), to: write(to, Math.ceil) }
}

/** Statuses of temporary failures, including too many requests. */
const transientStatuses: readonly number[] = [408, 425, 429]

function refused(options: PollJsonOptions, scope: FeedScope, answer: HttpAnswer, now: Instant): CrunchError {
  const { place, status, body } = answer
  if (status < 400 || status >= 500 || transientStatuses.includes(status)) return refusal(answer, now)
  const check = status === 401 || status === 403 ? keysOf(options) : "url of pollJson and the feed's subjects"
  const cause = `${place} answered ${status} for "${scope.subject}", ${excerpt(body)}`
  return new CrunchError('FEED_UNAVAILABLE', `${cause}; check ${check}`)
}

function keysOf(options: PollJsonOptions): string {
  const names = [options.url, ...Object.values(options.headers ?? {})].flatMap(environmentNames)
  return names.length === 0 ? 'its headers: it may need a key' : names.join(', ')
}
