import { accessKey } from '../data/node.ts'
import { CopyButton } from './copyable.tsx'
import { FileLink } from './file-link.tsx'

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
      <FileLink path={`${path}${join}format=csv`} name={`${name}.csv`}>
        CSV
      </FileLink>
      <FileLink path={`${path}${join}format=ndjson`} name={`${name}.ndjson`}>
        NDJSON
      </FileLink>
      <CopyButton label="Copy as curl" text={curlOf(path)} />
    </>
  )
}

/** The key itself is not copied: commands stay in histories. */
function curlOf(path: string): string {
  const header = accessKey.value === '' ? '' : ` -H "X-API-Key: $CRUNCH_KEY"`
  return `curl${header} '${window.location.origin}${path}'`
}
