import { accessKey, setKey } from '../data/node.ts'

/** Takes a key of the API, which this tab keeps until it closes. */
export function KeyForm({ done }: { readonly done?: () => void }) {
  function submit(event: SubmitEvent): void {
    event.preventDefault()
    setKey(String(new FormData(event.currentTarget as HTMLFormElement).get('key') ?? '').trim())
    done?.()
  }
  return (
    <form class="row" onSubmit={submit}>
      <label class="row">
        Key
        <input name="key" type="password" autocomplete="off" spellcheck={false} required />
      </label>
      <button type="submit">Use key</button>
      {accessKey.value === '' ? null : (
        <button type="button" onClick={() => setKey('')}>
          Forget key
        </button>
      )}
    </form>
  )
}
