import { type CliProblem, ReportedFailure } from '../cli-error.ts'
import { checkRehearsal, type RehearsalCheck } from '../deploy/check-rehearsal.ts'
import { checkTypes, type TypeCheck } from '../deploy/check-types.ts'
import { checkWebConfigFiles } from '../deploy/check-web-config.ts'
import {
  checkWorkspace,
  formatFinding,
  type WorkspaceFinding,
  type WorkspaceReport,
} from '../deploy/check-workspace.ts'
import { readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import { countOf } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'

const warningMark = 'warning: '

/** Reports every problem of a workspace; fails if there is one. */
export async function check(options: { readonly json: boolean }, terminal: Terminal): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  // A running deployment uses its own ports, which is not a problem.
  const isDeployed = (await readLiveSupervisor(workspace.stateDirectory)) !== undefined
  const report = await checkWorkspace(workspace, terminal.env, { ports: !isDeployed, purpose: 'look' })
  const { types, rehearsal, webConfig } = await tryContract(workspace, report, terminal)
  const findings = [...report.findings, ...types.findings, ...rehearsal.findings, ...webConfig]
  const notes = [...report.notes, ...(types.note === undefined ? [] : [types.note]), ...rehearsal.notes]
  const all = [...findings, ...report.warnings]
  if (options.json) {
    const { warnings, unreadKeys } = report
    terminal.out(JSON.stringify({ ok: all.length === 0, findings, warnings, unreadKeys, notes }))
  } else {
    for (const finding of all) terminal.out(formatFinding(finding))
    const warnings = report.unreadKeys.map((unread) => `${warningMark}${formatFinding(unread)}`)
    terminal.out(summaryOf(all, [...warnings, ...notes], isDeployed))
    for (const text of [...warnings, ...notes]) terminal.out(text)
  }
  if (all.length > 0) throw new ReportedFailure('the check has findings')
}

/** The number of the findings before this line, and of the warnings after it. */
export function summaryOf(all: readonly WorkspaceFinding[], remarks: readonly string[], isDeployed: boolean): string {
  const findingCount = all.reduce((count, finding) => count + countFindings(finding), 0)
  const warningCount = remarks.filter((text) => text.startsWith(warningMark)).length
  const warnings = warningCount === 0 ? '' : countOf(warningCount, 'warning')
  if (findingCount > 0) return `${countOf(findingCount, 'finding')}${warnings && ` and ${warnings}`}.`
  const ports = isDeployed ? 'ports are not checked, because the deployment uses them' : 'ports are free'
  return `Contract, settings, database and models are valid; ${ports}${warnings && `; ${warnings}`}.`
}

/** One error may list several findings. */
function countFindings(finding: WorkspaceFinding): number {
  const listed = 'text' in finding ? (finding.text.match(/^ {2}- /gm)?.length ?? 0) : 0
  return Math.max(1, listed)
}

/** Checks the types of a contract that loads and the files made from it, and rehearses it. */
async function tryContract(
  workspace: Workspace,
  { contract }: WorkspaceReport,
  { signal }: Terminal,
): Promise<{
  readonly types: TypeCheck
  readonly rehearsal: RehearsalCheck
  readonly webConfig: readonly CliProblem[]
}> {
  const [types, rehearsal, webConfig] = await Promise.all([
    checkTypes(workspace, signal),
    contract === undefined ? { findings: [], notes: [] } : checkRehearsal(workspace, contract, signal),
    contract === undefined ? [] : checkWebConfigFiles(workspace, contract),
  ])
  return { types, rehearsal, webConfig }
}
