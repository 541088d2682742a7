export { CliError, type CliProblem } from './cli-error.ts'
export { runCli } from './run-cli.ts'
export type { Terminal } from './terminal/terminal.ts'
export { findWorkspace, type Workspace } from './workspace.ts'
