import { ReportedFailure } from '../cli-error.ts'
import { checkRehearsal, type RehearsalCheck } from '../deploy/check-rehearsal.ts'
import { checkTypes, type TypeCheck } from '../deploy/check-types.ts'
import { checkWorkspace, formatFinding, type WorkspaceReport } from '../deploy/check-workspace.ts'
import { readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import { countOf } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'

/** Reports every problem of a workspace; fails if there is one. */
export async function check(options: { readonly json: boolean }, terminal: Terminal): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  // A running deployment uses its own ports, which is not a problem.
  const isDeployed = (await readLiveSupervisor(workspace.stateDirectory)) !== undefined
  const report = await checkWorkspace(workspace, terminal.env, { ports: !isDeployed, purpose: 'look' })
  const { types, rehearsal } = await tryContract(workspace, report, terminal)
  const findings = [...report.findings, ...types.findings, ...rehearsal.findings]
  const notes = [...report.notes, ...(types.note === undefined ? [] : [types.note]), ...rehearsal.notes]
  const all = [...findings, ...report.warnings]
  if (options.json) {
    const { warnings, unreadKeys } = report
    terminal.out(JSON.stringify({ ok: all.length === 0, findings, warnings, unreadKeys, notes }))
  } else {
    for (const finding of all) terminal.out(formatFinding(finding))
    const summary = isDeployed ? 'ports are not checked, because the deployment uses them' : 'ports are free'
    terminal.out(
      all.length === 0
        ? `Contract, settings, database and models are valid; ${summary}.`
        : `${countOf(all.length, 'finding')}.`,
    )
    for (const unread of report.unreadKeys) terminal.out(`warning: ${formatFinding(unread)}`)
    for (const note of notes) terminal.out(note)
  }
  if (all.length > 0) throw new ReportedFailure('the check has findings')
}

/** Checks the types of a contract that loads, and rehearses it. */
async function tryContract(
  workspace: Workspace,
  { contract }: WorkspaceReport,
  { signal }: Terminal,
): Promise<{ readonly types: TypeCheck; readonly rehearsal: RehearsalCheck }> {
  const [types, rehearsal] = await Promise.all([
    checkTypes(workspace, signal),
    contract === undefined ? { findings: [], notes: [] } : checkRehearsal(workspace, contract, signal),
  ])
  return { types, rehearsal }
}
