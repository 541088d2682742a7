/** Kinds of faults. `lasting` faults end after their length; the others are instantaneous. */
const catalogue = {
  kill: { lasting: false, targets: ['predict', 'score', 'report', 'models', 'model', 'supervisor', 'backend'] },
  pause: { lasting: true, targets: ['predict', 'score', 'report', 'models', 'model', 'database', 'backend'] },
  'kill-database': { lasting: true, targets: ['database'] },
  'stop-database': { lasting: true, targets: ['database'] },
  'terminate-sessions': { lasting: false, targets: ['one', 'all'] },
  'cut-client': { lasting: true, targets: ['database', 'discovery', 'model'] },
  'cut-server': { lasting: true, targets: ['database', 'discovery', 'model'] },
  'cut-both': { lasting: false, targets: ['database', 'discovery', 'model'] },
  hold: { lasting: true, targets: ['database', 'discovery', 'model'] },
  clock: { lasting: true, targets: ['-2h', '+2h'] },
} as const satisfies Readonly<Record<string, { readonly lasting: boolean; readonly targets: readonly string[] }>>

export type FaultKind = keyof typeof catalogue

export interface Fault {
  readonly kind: FaultKind
  readonly target: string
  /** 0: instantaneous. */
  readonly lengthMs: number
  /** Begins while the previous fault still lasts. */
  readonly overlaps: boolean
}

/** Every kind of fault with each of its targets. */
const choices = Object.entries(catalogue).flatMap(([kind, { lasting, targets }]) =>
  targets.map((target) => ({ kind: kind as FaultKind, target: target as string, lasting })),
)

/** Distribution of lengths: nearly all are short, a few last up to 60 s. Ordered by `below`, a cumulative share. */
const lengthsMs = [
  { below: 0.8, from: 300, to: 3_000 },
  { below: 0.95, from: 3_000, to: 12_000 },
  { below: 1, from: 12_000, to: 60_000 },
]
const overlapShare = 0.4

/**
 * Random faults: first each kind with each target once, in random order, then arbitrary ones.
 * @param longestMs limits the length of faults, for quick runs
 */
export function planFaults(count: number, longestMs: number, random: () => number): readonly Fault[] {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item
  const first = [...choices]
  for (let index = first.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1))
    ;[first[index], first[other]] = [first[other] as (typeof choices)[number], first[index] as (typeof choices)[number]]
  }
  return Array.from({ length: count }, (_, index) => {
    const { kind, target, lasting } = first[index] ?? pick(choices)
    const lengthMs = lasting ? Math.min(longestMs, chooseLength(random)) : 0
    // A restarted deployment requires that its database runs.
    return { kind, target, lengthMs, overlaps: target !== 'supervisor' && random() < overlapShare }
  })
}

function chooseLength(random: () => number): number {
  const share = random()
  const { from, to } = lengthsMs.find(({ below }) => share < below) as (typeof lengthsMs)[number]
  return Math.round(from + random() * (to - from))
}
