export type Mood = 'ok' | 'warn' | 'fail' | 'quiet'

const icons: Readonly<Record<Mood, string>> = { ok: '●', warn: '▲', fail: '✕', quiet: '○' }

/** A state by an icon and a word, since colour alone does not reach everyone. */
export function StateMark({
  mood,
  word,
  title,
}: {
  readonly mood: Mood
  readonly word: string
  readonly title?: string
}) {
  return (
    <span class={`state ${mood}`} title={title}>
      <span aria-hidden="true">{icons[mood]}</span>
      {word}
    </span>
  )
}
