import { useState } from 'preact/hooks'
import { accessKey, setKey, whyRefused } from '../data/node.ts'

/** Takes a key of the API that the node accepts. This tab keeps it until it closes. */
export function KeyForm({ done }: { readonly done?: () => void }) {
  const [refusal, setRefusal] = useState<string | null>(null)
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get('key') ?? '').trim()
    const reason = await whyRefused(key)
    setRefusal(reason)
    if (reason !== null) return
    setKey(key)
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
      {refusal === null ? null : (
        <p class="fail" role="alert">
          {refusal}
        </p>
      )}
    </form>
  )
}
