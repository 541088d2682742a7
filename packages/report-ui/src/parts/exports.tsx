import { CopyButton } from './copyable.tsx'

interface ExportsProps {
  readonly path: string
  /** Of the saved file, without its ending. */
  readonly name: string
}

/** The rows of a list as files, and as a command. */
export function Exports({ path, name }: ExportsProps) {
  const join = path.includes('?') ? '&' : '?'
  return (
    <>
      <a href={`${path}${join}format=csv`} download={`${name}.csv`}>
        CSV
      </a>
      <a href={`${path}${join}format=ndjson`} download={`${name}.ndjson`}>
        NDJSON
      </a>
      <CopyButton label="Copy as curl" text={`curl '${window.location.origin}${path}'`} />
    </>
  )
}
