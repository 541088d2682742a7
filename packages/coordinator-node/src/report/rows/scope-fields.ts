import type { FeedScope } from '../../domain/feed-record.ts'

interface Question {
  readonly scope: FeedScope
  readonly horizonMs: number
  readonly stepMs: number
}

/** What was asked, as charts group and filter by it. */
export function scopeFieldsOf({ scope, horizonMs, stepMs }: Question) {
  const { source, subject, kind, granularity } = scope
  const [horizon, step] = [horizonMs / 1_000, stepMs / 1_000]
  return {
    scope_key: `${subject}-${horizon}`,
    scope: { subject, horizon, step },
    param: `${subject}-${horizon}-${step}`,
    asset: subject,
    ...{ subject, horizon, step, source, kind, granularity },
  }
}
