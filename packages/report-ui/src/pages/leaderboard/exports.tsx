import { CopyButton } from '../../parts/copyable.tsx'

/** The rows of a list as files, and as a command. */
export function Exports({ path }: { readonly path: string }) {
  const join = path.includes('?') ? '&' : '?'
  return (
    <>
      <a href={`${path}${join}format=csv`} download="leaderboard.csv">
        CSV
      </a>
      <a href={`${path}${join}format=ndjson`} download="leaderboard.ndjson">
        NDJSON
      </a>
      <CopyButton label="Copy as curl" text={`curl '${window.location.origin}${path}'`} />
    </>
  )
}
