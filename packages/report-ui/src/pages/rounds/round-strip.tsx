import type { AnswerOf } from '@crunch/coordinator-node/client'
import { useLocation } from 'wouter-preact'
import type { StripMark, StripPoint } from '../../charts/strip-layout.ts'
import { StripPlot } from '../../charts/strip-plot.tsx'
import { useModels, useRules } from '../../data/resources.ts'
import { useAddressWith, useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { fieldNames, type NumericFields, numericFields } from '../../format/numeric-fields.ts'
import { usePins } from '../leaderboard/pins.ts'
import type { Answer, Round } from './use-round.ts'

type Rules = AnswerOf<'get', '/reports/competition'>

/** Where the numbers of a strip come from. */
type Of = 'compared' | 'answer' | 'score'

interface Choice {
  /** In the address. */
  readonly key: string
  readonly of: Of
  readonly field: string
}

/** All answers, or their scores, on one axis, with the truth across it. */
export function RoundStrip({ round }: { readonly round: Round }) {
  const [url, change] = useUrlState()
  const rules = useRules().data.value
  const answers = round.predictions
  const numbers: Readonly<Record<Of, readonly NumericFields[]>> = {
    compared: answers.map(({ signal_value }) => numericFields(signal_value)),
    answer: answers.map(({ output }) => numericFields(output)),
    score: answers.map(({ score, score_kind }) => numericFields(score_kind === 'valid' ? score : null)),
  }
  const choices = (['compared', 'answer', 'score'] as const).flatMap((of) =>
    fieldNames(numbers[of]).map((field): Choice => ({ key: `${of}:${field}`, of, field })),
  )
  const choice = choices.find(({ key }) => key === url.show) ?? choices[0]
  if (choice === undefined) return <NothingToShow round={round} />
  const truth = numericFields(round.truth)
  const unit = unitOf(rules, choice)
  const against = choice.of === 'answer' ? truthField(choice.field, truth, url.truth) : undefined
  const marks = choice.of === 'compared' ? comparedMarks(answers) : truthMarks(truth, against)
  return (
    <section class="panel" aria-label="All answers">
      <h2>All answers</h2>
      <Strip
        title={titleOf(choice, against)}
        unit={unit}
        answers={answers}
        numbers={numbers[choice.of]}
        field={choice.field}
        marks={marks}
      />
      <div class="row small">
        <FieldChoice
          label="Show"
          value={choice.key}
          options={choices.map(({ key, of, field }) => [key, nameOf(of, field)])}
          choose={(show) => change({ show, truth: null })}
        />
        {choice.of !== 'answer' || truth.size === 0 ? null : (
          <FieldChoice
            label="against"
            value={against ?? 'none'}
            options={[
              ...[...truth.keys()].map((name): [string, string] => [name, nameOf('truth', name)]),
              ['none', 'nothing'],
            ]}
            choose={(name) => change({ truth: name === '' ? 'value' : name })}
          />
        )}
        <HiddenNote answers={answers} />
      </div>
    </section>
  )
}

interface StripProps {
  readonly title: string
  readonly unit: string
  readonly answers: readonly Answer[]
  readonly numbers: readonly NumericFields[]
  readonly field: string
  readonly marks: readonly StripMark[]
}

function Strip({ title, unit, answers, numbers, field, marks }: StripProps) {
  const [, go] = useLocation()
  const address = useAddressWith()
  const [pins] = usePins()
  const names = new Map(useModels().data.value?.map(({ model_id, model_name }) => [model_id, model_name]))
  const points = answers.flatMap((answer, index): StripPoint[] => {
    const value = numbers[index]?.get(field)
    if (value === undefined) return []
    const label = names.get(answer.model_id) ?? answer.model_id
    return [{ key: answer.id, label, value, isPicked: pins.has(answer.model_id) }]
  })
  return (
    <StripPlot
      title={title}
      unit={unit}
      points={points}
      marks={marks}
      onChoose={(prediction) => go(address({ prediction }))}
    />
  )
}

/** The truth as the contract compares answers with it; it is the same for all. */
function comparedMarks(answers: readonly Answer[]): readonly StripMark[] {
  const value = answers.find(({ actual_value }) => actual_value !== null)?.actual_value ?? null
  return value === null ? [] : [{ label: 'truth', value }]
}

function truthMarks(truth: NumericFields, field: string | undefined): readonly StripMark[] {
  const value = field === undefined ? undefined : truth.get(field)
  return field === undefined || value === undefined ? [] : [{ label: nameOf('truth', field), value }]
}

/** The field of the truth that an answer is shown against: the chosen one, or that of the same name. */
function truthField(field: string, truth: NumericFields, chosen: string | undefined): string | undefined {
  if (chosen === 'none') return undefined
  if (chosen !== undefined && truth.has(chosen)) return chosen
  return truth.has(field) ? field : undefined
}

/** From the contract, which writes `[]` for the items of a list; empty where it names none. */
function unitOf(rules: Rules | undefined, { of, field }: Choice): string {
  if (of === 'compared') return ''
  const fields = (of === 'answer' ? rules?.question.answer.fields : rules?.score.fields) ?? []
  return fields.find(({ name }) => name === field.replace(/\[\d+\]/g, '[]'))?.unit ?? ''
}

function nameOf(of: Of | 'truth', field: string): string {
  if (of === 'compared') return 'answer as it is compared'
  return field === '' ? of : `${of}: ${field}`
}

function titleOf({ of, field }: Choice, against: string | undefined): string {
  if (of === 'compared') return 'What the models answered, as the contract compares it with the truth'
  const what = field === '' ? 'value' : field
  if (of === 'score') return `What the answers scored (${what})`
  return against === undefined
    ? `What the models answered (${what})`
    : `What the models answered (${what}), and what came true`
}

interface FieldChoiceProps {
  readonly label: string
  readonly value: string
  readonly options: readonly (readonly [value: string, text: string])[]
  readonly choose: (value: string) => void
}

function FieldChoice({ label, value, options, choose }: FieldChoiceProps) {
  if (options.length < 2) return null
  return (
    <label class="row">
      {label}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

function HiddenNote({ answers }: { readonly answers: readonly Answer[] }) {
  const hidden = answers.filter(({ hidden_until }) => hidden_until !== null).length
  if (hidden === 0) return null
  return <span class="quiet">{counted(hidden, 'answer')} hidden until the truth is known</span>
}

/** Why there is nothing to draw. */
function NothingToShow({ round }: { readonly round: Round }) {
  const hidden = round.predictions.filter(({ hidden_until }) => hidden_until !== null).length
  const answered = round.predictions.filter(({ output }) => output !== null).length
  return (
    <section class="panel" aria-label="All answers">
      <h2>All answers</h2>
      <p>
        {hidden > 0
          ? `${counted(hidden, 'answer')} are hidden until the truth is known, so that models cannot copy each other. With its owner’s key, a model’s own answer is shown.`
          : round.answered_at === null
            ? 'The models are answering.'
            : answered === 0
              ? 'There is no valid answer. The table says why.'
              : 'The answers contain no numbers that could be drawn. The table has them.'}
      </p>
    </section>
  )
}
