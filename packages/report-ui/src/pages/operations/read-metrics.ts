import type { Bucket } from '../../charts/histogram.tsx'

/** One sample of the text that a Prometheus server reads. */
interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The samples of a text in the format of Prometheus; comments are left out. */
export function samplesOf(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line)
    if (found === null) return []
    const [, name = '', labels = '', value] = found
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text])
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }]
  })
}

/** The buckets of a histogram in seconds, each with its own count: the text has sums up to each bound. */
export function bucketsOf(samples: readonly Sample[], name: string): readonly Bucket[] {
  let [below, last] = [0, '']
  return samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels: { le = '' }, value }) => {
      const count = value - below
      below = value
      const bound = le === '+Inf' ? `> ${last}` : `≤ ${boundText(le)}`
      last = boundText(le)
      return { label: bound, count }
    })
}

function boundText(seconds: string): string {
  const ms = Number(seconds) * 1_000
  return ms < 1_000 ? `${ms} ms` : `${seconds} s`
}
