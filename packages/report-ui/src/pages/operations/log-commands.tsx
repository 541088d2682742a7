import { Copyable } from '../../parts/copyable.tsx'

/** Logs can contain what only the operator may see, so they are read on the machine of the node. */
export function LogCommands() {
  return (
    <section class="panel" aria-label="Logs">
      <h2>Logs, on the machine of the node</h2>
      <ul class="commands">
        <li>
          <p>All services together, as they write</p>
          <Copyable text="npx crunch logs --follow" />
        </li>
        <li>
          <p>Feeds and predictions</p>
          <Copyable text="npx crunch logs predict --lines 200" />
        </li>
        <li>
          <p>Scores, boards and checkpoints</p>
          <Copyable text="npx crunch logs score --lines 200" />
        </li>
        <li>
          <p>Which models run, their restarts and last errors</p>
          <Copyable text="npx crunch models" />
        </li>
      </ul>
    </section>
  )
}
