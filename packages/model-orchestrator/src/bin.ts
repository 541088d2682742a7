#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

// Exits at once: whatever is still open by then must not keep the process alive.
process.exit(await runCommandLine(process.argv.slice(2)))
