import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'

interface ChartFigureProps {
  readonly title: string
  /** Stand before the switch. */
  readonly tools?: ComponentChildren
  readonly drawing: () => ComponentChildren
  /** The same numbers. */
  readonly table: () => ComponentChildren
  readonly foot?: ComponentChildren
}

/** A chart with a table behind it: the key `t` or a button switches between them. */
export function ChartFigure({ title, tools, drawing, table, foot }: ChartFigureProps) {
  const [isTable, setTable] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  return (
    <figure
      class="chart"
      aria-label={title}
      onKeyDown={({ key, ctrlKey, metaKey, target }) => {
        if (key !== 't' || ctrlKey || metaKey || target instanceof HTMLSelectElement) return
        // What has the focus may be what goes.
        button.current?.focus()
        setTable(!isTable)
      }}
    >
      <div class="panel-head">
        <h3>{title}</h3>
        <div class="row">
          {tools}
          <button type="button" ref={button} aria-pressed={isTable} onClick={() => setTable(!isTable)} title="Key: t">
            Table
          </button>
        </div>
      </div>
      {isTable ? table() : drawing()}
      {foot === undefined ? null : <figcaption class="small quiet">{foot}</figcaption>}
    </figure>
  )
}
