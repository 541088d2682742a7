import { useState } from 'preact/hooks'

/** A command or an address to copy. */
export function Copyable({ text }: { readonly text: string }) {
  return (
    <span class="copyable">
      <code>{text}</code>
      <CopyButton text={text} label="Copy" />
    </span>
  )
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [answer, setAnswer] = useState(label)
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      setAnswer('Copied')
    } catch {
      // Browsers offer the clipboard to pages of https and of this machine only.
      setAnswer(window.prompt('Copy this text:', text) === null ? label : 'Copied')
    }
    setTimeout(() => setAnswer(label), 2_000)
  }
  return (
    <button type="button" onClick={copy}>
      {answer}
    </button>
  )
}
