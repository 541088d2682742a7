import { Link } from 'wouter-preact'
import { columnNumbers, fullNumber, noData, wholeNumber } from '../../format/numbers.ts'
import { duration, instant, msOf } from '../../format/times.ts'
import { shortValue } from '../../format/values.ts'
import type { Column } from '../../parts/data-table.tsx'
import { type Mood, StateMark } from '../../parts/state-mark.tsx'
import { Countdown, Time } from '../../parts/time.tsx'
import type { ListedRound, RoundState } from './use-rounds.ts'

export const roundMoods: Readonly<Record<RoundState, Mood>> = { open: 'quiet', resolved: 'ok', void: 'warn' }

export function roundColumns(rows: readonly ListedRound[]): readonly Column<ListedRound>[] {
  const best = columnNumbers(rows.map(({ best_model }) => best_model?.value))
  return [
    {
      key: 'asked',
      title: 'Asked',
      width: '116px',
      isHeld: true,
      cell: (row) => (
        <Link href={`/rounds/${encodeURIComponent(row.id)}`} title={row.id}>
          <Time at={row.performed_at} />
        </Link>
      ),
    },
    {
      key: 'state',
      title: 'State',
      width: '104px',
      cell: ({ state }) => <StateMark mood={roundMoods[state]} word={state} />,
    },
    {
      key: 'truth',
      title: 'Truth',
      width: 'minmax(170px, 2fr)',
      cell: (row) => <TruthCell round={row} />,
    },
    {
      key: 'question',
      title: 'Question',
      width: 'minmax(150px, 1fr)',
      cell: (row) => <span class="cut">{questionOf(row)}</span>,
    },
    ...(['valid', 'FAILED', 'ABSENT'] as const).map(
      (key): Column<ListedRound> => ({
        key,
        title: { valid: 'Answers', FAILED: 'Failed', ABSENT: 'No answer' }[key],
        width: '92px',
        isNumber: true,
        cell: ({ answers }) => wholeNumber(key === 'valid' ? answers.PENDING + answers.SCORED : answers[key]),
      }),
    ),
    {
      key: 'best',
      title: 'Best model',
      width: 'minmax(130px, 1fr)',
      cell: ({ best_model }) =>
        best_model === null ? (
          <span class="quiet">{noData}</span>
        ) : (
          <Link class="cut" href={`/models/${encodeURIComponent(best_model.model_id)}`}>
            {best_model.model_name ?? best_model.model_id}
          </Link>
        ),
    },
    {
      key: 'value',
      title: 'Its score',
      width: '100px',
      isNumber: true,
      isLeading: true,
      cell: ({ best_model }) => <span title={fullNumber(best_model?.value)}>{best(best_model?.value)}</span>,
    },
  ]
}

/** `BTCUSDT, 5 min ahead`; the horizon is in seconds. */
export function questionOf({ subject, horizon }: Pick<ListedRound, 'subject' | 'horizon'>): string {
  return `${subject}, ${duration(horizon * 1_000)} ahead`
}

function TruthCell({ round }: { readonly round: ListedRound }) {
  if (round.state === 'open') {
    return (
      <span title={`void if it is not known by ${instant(msOf(round.expires_at))}`}>
        <span class="quiet">in</span> <Countdown to={round.resolvable_at} />
      </span>
    )
  }
  const text = round.state === 'void' ? (round.void_reason ?? '') : shortValue(round.truth)
  return (
    <span class={round.state === 'void' ? 'cut warn' : 'cut'} title={text}>
      {text}
    </span>
  )
}
