import { FieldsTable } from './fields-table.tsx'
import { gateRules, missingRules, type Rules, revealRules, span } from './rule-text.ts'

/** What is asked when, of whom, and what the answer is compared with. */
export function Question({ of: rules }: { readonly of: Rules }) {
  const { question, truth, feeds } = rules
  return (
    <>
      <section class="panel" aria-label="What is asked">
        <h2>What is asked, and when</h2>
        <Schedules of={question.schedules} />
        <p>
          Each round asks all models at the same time. A model has {span(question.answer.timeout)} to answer. It sees
          records of the last {span(question.input.window)}, none from later than the question.
        </p>
        <ul class="bullets">
          <li>{missingRules[question.missing]}</li>
          <li>{revealRules[question.reveal]}</li>
          <li>A round that could not open on time is never opened later, and counts for no model.</li>
        </ul>
      </section>
      <div class="pairs-of-panels">
        <section class="panel" aria-label="Input">
          <h2>What a model is given</h2>
          <FieldsTable of={question.input} what="input" />
        </section>
        <section class="panel" aria-label="Answer">
          <h2>What a model answers</h2>
          <FieldsTable of={question.answer} what="answer" />
          <p class="small quiet">An answer has at most {question.answer.max_values.toLocaleString('en')} values.</p>
        </section>
        <section class="panel" aria-label="Truth">
          <h2>What the answer is compared with</h2>
          <FieldsTable of={truth} what="truth" />
          <p>
            The truth of a round is computed once, for all models. A round whose truth cannot be known is void and
            counts for no model.
          </p>
        </section>
        <section class="panel" aria-label="Feeds">
          <h2>Where the data come from</h2>
          <ul class="stack">
            {feeds.map((feed) => (
              <FeedRules key={`${feed.source} ${feed.subject} ${feed.kind} ${feed.granularity}`} of={feed} />
            ))}
          </ul>
        </section>
      </div>
    </>
  )
}

function Schedules({ of }: { readonly of: Rules['question']['schedules'] }) {
  return (
    <div class="table-scroll" role="region" aria-label="Schedules" tabIndex={0}>
      <table class="plain-table whole-words">
        <thead>
          <tr>
            <th scope="col">Question</th>
            <th scope="col">Subject</th>
            <th scope="col">Asked every</th>
            <th scope="col">Ahead</th>
            <th scope="col">In steps of</th>
            <th scope="col">Opens with</th>
          </tr>
        </thead>
        <tbody>
          {of.map(({ key, subject, every, horizon, step, on }) => (
            <tr key={key}>
              <th scope="row">
                <code>{key}</code>
              </th>
              <td>{subject}</td>
              <td>{span(every)}</td>
              <td>{span(horizon)}</td>
              <td>{span(step)}</td>
              <td>{on === 'clock' ? 'the clock' : 'a new record'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function FeedRules({ of: { source, subject, kind, granularity, gate } }: { readonly of: Rules['feeds'][number] }) {
  const reasons = gateRules(gate)
  return (
    <li>
      <p>
        <code>{[source, subject, kind, granularity].join(':')}</code>
      </p>
      {reasons.length === 0 ? (
        <p class="quiet">Not trusted while it is silent.</p>
      ) : (
        <>
          <p class="quiet">Not trusted while it is silent, or when</p>
          <ul class="bullets quiet">
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </>
      )}
    </li>
  )
}
