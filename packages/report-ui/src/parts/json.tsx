import { jsonText } from '../format/json-text.ts'

/** Longer values are closed at first. */
const openLines = 14

interface JsonProps {
  readonly value: unknown
  readonly label: string
  /** At first. */
  readonly isClosed?: boolean
}

/** A value in the form of the contract, as it is stored. */
export function Json({ value, label, isClosed }: JsonProps) {
  const text = typeof value === 'string' ? value : jsonText(value)
  return (
    <details class="json" open={isClosed !== true && text.split('\n').length <= openLines && text.length <= 1_200}>
      <summary>{label}</summary>
      <pre>{text}</pre>
    </details>
  )
}
