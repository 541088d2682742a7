import type { ComponentChildren } from 'preact'
import type { Resource } from '../data/resource.ts'
import { Age } from './age.tsx'
import { FailureNote } from './failure-note.tsx'

interface PanelProps<Data> {
  /** A sentence that says what is to be seen. */
  readonly title: string
  readonly resource: Resource<Data>
  /** Beside the title. */
  readonly tools?: ComponentChildren
  readonly children: (data: Data) => ComponentChildren
}

/**
 * A part of a page with its data: their age, and why they are missing or old. What was read stays while the node does not answer. It
 * loads again by itself.
 */
export function Panel<Data>({ title, resource, tools, children }: PanelProps<Data>) {
  return (
    <section class="panel" aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
        <div class="row">
          {tools}
          <Age resource={resource} />
        </div>
      </div>
      <Loaded resource={resource}>{children}</Loaded>
    </section>
  )
}

/** The content of a panel without its frame. */
export function Loaded<Data>({ resource, children }: Pick<PanelProps<Data>, 'resource' | 'children'>) {
  const data = resource.data.value
  const failure = resource.failure.value
  return (
    <>
      {failure === null ? null : <FailureNote failure={failure} hasData={data !== undefined} retry={resource.reload} />}
      {data !== undefined ? children(data) : failure === null ? <div class="skeleton" aria-busy="true" /> : null}
    </>
  )
}
