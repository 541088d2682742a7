import { CrunchError } from '../../domain/errors.ts'
import { type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import { nearestName } from '../../domain/nearest-name.ts'
import type { FeedOffer } from '../../ports/feed-source.ts'

/** Whether a source offers a series. */
export function isOffered(offers: readonly FeedOffer[], scope: FeedScope): boolean {
  return offers.some((offer) => problemOf(offer, scope) === null)
}

/** Throws a `CrunchError` FEED_UNAVAILABLE for the first series that a source does not offer, with what it has instead. */
export function requireOffered(offers: readonly FeedOffer[], scopes: readonly FeedScope[]): void {
  for (const scope of scopes) {
    if (isOffered(offers, scope)) continue
    const cause = whatIsWrong(offers, scope)
    throw new CrunchError('FEED_UNAVAILABLE', `no source offers the series ${feedScopeKey(scope)}: ${cause}`)
  }
}

type Part = 'source' | 'kind' | 'granularity' | 'subject'

function problemOf(offer: FeedOffer, scope: FeedScope): Part | null {
  if (offer.source !== scope.source) return 'source'
  if (offer.kind !== scope.kind) return 'kind'
  if (offer.granularities !== 'any' && !offer.granularities.includes(scope.granularity)) return 'granularity'
  return offer.subjects === 'any' || offer.subjects.includes(scope.subject) ? null : 'subject'
}

/** The difference to the most similar offer. */
function whatIsWrong(offers: readonly FeedOffer[], scope: FeedScope): string {
  const problems = offers.map((offer) => problemOf(offer, scope))
  const offer = (part: Part) => offers[problems.indexOf(part)]
  const bySubject = offer('subject')
  if (bySubject !== undefined && bySubject.subjects !== 'any') {
    return `no subject "${scope.subject}"; ${instead(scope.subject, bySubject.subjects)}`
  }
  const byGranularity = offer('granularity')
  if (byGranularity !== undefined && byGranularity.granularities !== 'any') {
    return `no granularity ${scope.granularity} of "${scope.kind}"; there are ${byGranularity.granularities.join(', ')}`
  }
  const kinds = [...new Set(offers.filter(({ source }) => source === scope.source).map(({ kind }) => kind))]
  return `no kind "${scope.kind}"; ${instead(scope.kind, kinds)}`
}

const shownNames = 20

function instead(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names)
  if (nearest !== undefined) return `did you mean "${nearest}"?`
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : ''
  return names.length === 0 ? 'it has none' : `there are ${names.slice(0, shownNames).join(', ')}${more}`
}
