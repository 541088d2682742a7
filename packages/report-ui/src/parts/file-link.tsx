import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { accessKey, failureOf } from '../data/node.ts'
import { saveFile } from '../data/save-file.ts'

interface FileLinkProps {
  readonly path: string
  /** Of the saved file. */
  readonly name: string
  readonly children: ComponentChildren
}

/** A link to a file of the node. A viewer with a key gets it by a request, since a link sends no key. */
export function FileLink({ path, name, children }: FileLinkProps) {
  const [problem, setProblem] = useState('')
  function save(event: MouseEvent): void {
    if (accessKey.peek() === '') return
    event.preventDefault()
    setProblem('')
    saveFile(path, name).catch((error: unknown) => setProblem(failureOf(error).text))
  }
  return (
    <>
      <a href={path} download={name} onClick={save}>
        {children}
      </a>
      {problem === '' ? null : (
        <span class="fail" role="alert">
          ✕ {problem}
        </span>
      )}
    </>
  )
}
