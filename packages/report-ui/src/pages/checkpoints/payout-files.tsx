import { useState } from 'preact/hooks'
import { type Failure, failureOf } from '../../data/node.ts'
import { saveFile } from '../../data/save-file.ts'
import { FileLink } from '../../parts/file-link.tsx'
import { KeyForm } from '../../parts/key-form.tsx'
import type { Checkpoint } from './checkpoint-data.ts'
import { microUnits } from './prize-total.ts'

/** The files of a payout: for all, and those that hand it over to the chain. */
export function PayoutFiles({ of: { id } }: { readonly of: Checkpoint }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [problem, setProblem] = useState('')
  const path = `/reports/checkpoints/${encodeURIComponent(id)}`

  async function save(address: string, name: string): Promise<void> {
    setFailure(null)
    try {
      await saveFile(address, name)
    } catch (error) {
      setFailure(failureOf(error))
    }
  }

  function savePrizes(event: SubmitEvent): void {
    event.preventDefault()
    const total = microUnits(String(new FormData(event.currentTarget as HTMLFormElement).get('total') ?? ''))
    setProblem(total === null ? 'Give a sum such as 5000 or 0.25, with at most 6 decimals.' : '')
    if (total !== null) void save(`${path}/prizes?total_prize=${total}`, `${id}-prizes.json`)
  }

  return (
    <section class="panel" aria-label="Files">
      <h2>Files of this payout</h2>
      <ul class="files">
        <PublicFiles id={id} path={path} />
        <li>
          <button type="button" onClick={() => save(`${path}/emission/cli-format`, `${id}-cli.json`)}>
            Save the file of the command line
          </button>{' '}
          <span class="quiet">percent by wallet; organizer only</span>
        </li>
      </ul>
      <form class="row" onSubmit={savePrizes} noValidate>
        <label class="row">
          Sum of all prizes, in tokens
          <input
            name="total"
            inputMode="decimal"
            size={10}
            autocomplete="off"
            aria-invalid={problem !== ''}
            aria-describedby="prizes-problem"
          />
        </label>
        <button type="submit">Save prizes</button>
        <span class="quiet">organizer only</span>
        <p class="fail" id="prizes-problem" role="alert">
          {problem === '' ? '' : `✕ ${problem}`}
        </p>
      </form>
      {failure === null ? null : (
        <div class="failure" role="alert">
          <p class="lines">{failure.text}</p>
          {failure.status === 401 || failure.status === 403 ? <KeyForm /> : null}
        </div>
      )}
    </section>
  )
}

function PublicFiles({ id, path }: { readonly id: string; readonly path: string }) {
  return (
    <>
      <li>
        <FileLink path={path} name={`${id}.json`}>
          Checkpoint
        </FileLink>{' '}
        <span class="quiet">everything that this page shows</span>
      </li>
      <li>
        <FileLink path={`${path}/payload`} name={`${id}-payload.json`}>
          Payload
        </FileLink>{' '}
        <span class="quiet">period and emission</span>
      </li>
      <li>
        <FileLink path={`${path}/emission`} name={`${id}-emission.json`}>
          Emission
        </FileLink>{' '}
        <span class="quiet">rewards in units, as the chain takes them</span>
      </li>
    </>
  )
}
