import { Bars } from '../../charts/bars.tsx'
import { useActivity } from '../../data/resources.ts'
import { wholeNumber } from '../../format/numbers.ts'
import { answerReasons, wordOf } from '../../format/words.ts'
import { Empty } from '../../parts/empty.tsx'
import { Panel } from '../../parts/panel.tsx'
import { failuresByReason } from './failures.ts'

/** Why answers are missing, for all models together. */
export function FailuresPanel() {
  return (
    <Panel title="Missing and invalid answers by reason, last 24 h" resource={useActivity()}>
      {(rows) => {
        const { reasons, rowCount } = failuresByReason(rows)
        if (rowCount === 0) return <Empty>No model was asked in the last 24 hours.</Empty>
        if (reasons.length === 0) return <Empty>Every one of {wholeNumber(rowCount)} answers is valid.</Empty>
        return (
          <>
            <Bars
              label="Missing and invalid answers by reason"
              bars={reasons.map(({ reason, count, modelCount }) => ({
                key: reason,
                label: <span title={reason}>{wordOf(answerReasons, reason)}</span>,
                value: count,
                text: `${wholeNumber(count)} of ${modelCount === 1 ? '1 model' : `${wholeNumber(modelCount)} models`}`,
              }))}
            />
            <p class="small quiet">
              n = {wholeNumber(rowCount)} answers of {wholeNumber(rows.length)} models.
            </p>
          </>
        )
      }}
    </Panel>
  )
}
