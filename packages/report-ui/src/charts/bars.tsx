import type { ComponentChildren } from 'preact'
import './bars.css'

export interface Bar {
  readonly key: string
  readonly label: ComponentChildren
  readonly value: number
  /** The value as it is shown behind the bar. */
  readonly text: string
}

interface BarsProps {
  readonly label: string
  readonly bars: readonly Bar[]
  /** The value of a full bar; default: the largest. */
  readonly full?: number
}

/** Horizontal bars that start at zero, each with its label and value. */
export function Bars({ label, bars, full = Math.max(0, ...bars.map(({ value }) => value)) }: BarsProps) {
  return (
    <ul class="bars" aria-label={label}>
      {bars.map(({ key, label: name, value, text }) => (
        <li key={key}>
          <span class="bars-label">{name}</span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect width={full === 0 ? 0 : (100 * value) / full} height={10} />
          </svg>
          <span class="bar-value">{text}</span>
        </li>
      ))}
    </ul>
  )
}
