import { DatabasePanel } from './database-panel.tsx'
import { FailuresPanel } from './failures-panel.tsx'
import { HealthPanel } from './health-panel.tsx'
import { LatencyPanel } from './latency-panel.tsx'
import { LogCommands } from './log-commands.tsx'
import { PipelinePanel } from './pipeline-panel.tsx'
import { ServiceLogs } from './service-logs.tsx'
import { WorkersPanel } from './workers-panel.tsx'
import './operations.css'

/** Whether the competition runs, and where it does not. */
export default function OperationsPage() {
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Operations</h1>
          <p>Whether the competition runs, where it waits, and what to do about it.</p>
        </div>
        <div class="row">
          <a href="/healthz">Health</a>
          <a href="/readyz">Readiness</a>
          <a href="/metrics">Metrics</a>
        </div>
      </div>
      <HealthPanel />
      <PipelinePanel />
      <div class="pairs-of-panels">
        <FailuresPanel />
        <LatencyPanel />
        <WorkersPanel />
        <DatabasePanel />
      </div>
      <ServiceLogs />
      <LogCommands />
    </>
  )
}
