#!/usr/bin/env node
import { runCli } from './run-cli.ts'
import { processTerminal } from './terminal/terminal.ts'

// Set, not called: what was written to a pipe must still leave this process.
process.exitCode = await runCli(process.argv.slice(2), processTerminal())
