import type { ModelTestReport } from './model-test-report.ts'
import { valueText } from './value-text.ts'

/** Each step, what the rounds record, what the model printed, and the verdict. */
export function formatModelTest(report: ModelTestReport): string {
  const { model, steps, recorded, scores, unscored, failure, isRanked, prepared, printed, stderr } = report
  const lines = steps.map(({ name, outcome, durationMs, text }) => {
    const duration = durationMs === null ? '' : `  ${durationMs.toFixed(1)} ms`
    return `${outcome.padEnd(6)}  ${name}${duration}${text === '' ? '' : `\n          ${text}`}`
  })
  const rounds = recorded.map(({ at, subject, status, output, reason, detail }) => {
    const text = reason === null ? valueText(output) : `${reason}: ${detail ?? ''}`
    return `  ${at} ${subject}: ${status}  ${text}`
  })
  return [
    ...lines,
    ...(rounds.length === 0 ? [] : ['A round would record:', ...rounds]),
    ...(scores.length === 0 ? [] : ['It would be scored:', ...scores.map(scoreLine)]),
    ...(unscored === null || failure !== null ? [] : [`Not every round has a score: ${unscored}.`]),
    ...(prepared.length === 0 ? [] : ['Its preparation:', ...indented(prepared)]),
    ...(printed.length === 0 ? [] : ['The model printed:', ...indented(printed)]),
    // A runner logs there too, of which a model that does well needs nothing.
    ...(stderr.length === 0 || steps.every(({ outcome }) => outcome === 'ok')
      ? []
      : ['Its stderr, with its own stack:', ...indented(stderr)]),
    isRanked ? `${model} would be ranked.` : `${model} would NOT be ranked.`,
    ...(failure === null ? [] : [`The contract fails for every model: ${failure}`]),
  ].join('\n')
}

function scoreLine({ at, subject, kind, value, reason }: ModelTestReport['scores'][number]): string {
  return `  ${at} ${subject}: ${kind}  ${reason ?? valueText(value)}`
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}
