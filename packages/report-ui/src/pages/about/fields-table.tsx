import { fullNumber } from '../../format/numbers.ts'
import type { Rules } from './rule-text.ts'

type Value = Pick<Rules['score'], 'description' | 'fields'>
type Field = NonNullable<Value['fields']>[number]

interface FieldsTableProps {
  readonly of: Value
  /** What the value is: `answer`. */
  readonly what: string
  /** The field by which models are ranked. */
  readonly ranking?: string
}

/** The fields of a value of the contract, with what its author says about them. */
export function FieldsTable({ of: { description, fields }, what, ranking }: FieldsTableProps) {
  const hasUnits = fields?.some(({ unit }) => unit !== null)
  const hasMeanings = fields?.some((field) => field.description !== null)
  return (
    <>
      {description === null ? null : <p class="lines">{description}</p>}
      {fields === null ? (
        <p class="quiet">The contract describes the {what} by code, which cannot be shown as fields.</p>
      ) : (
        <div class="table-scroll" role="region" aria-label={`Fields of the ${what}`} tabIndex={0}>
          <table class="plain-table whole-words">
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Type</th>
                {hasUnits ? <th scope="col">Unit</th> : null}
                {hasMeanings ? <th scope="col">Meaning</th> : null}
              </tr>
            </thead>
            <tbody>
              {fields.map((field) => (
                <tr key={field.name}>
                  <th scope="row">
                    <code>{field.name === '' ? `the ${what}` : field.name}</code>
                    {field.name === ranking ? <span class="tag beside">ranks</span> : null}
                  </th>
                  <td>{typeText(field)}</td>
                  {hasUnits ? <td>{field.unit ?? ''}</td> : null}
                  {hasMeanings ? <td>{field.description ?? ''}</td> : null}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

function typeText({ type, required, minimum, maximum }: Field): string {
  const limits = [
    ...(minimum === null ? [] : [`at least ${fullNumber(minimum)}`]),
    ...(maximum === null ? [] : [`at most ${fullNumber(maximum)}`]),
    ...(required ? [] : ['optional']),
  ]
  return [type, ...limits].join(', ')
}
