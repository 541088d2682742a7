#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

// Open handles must not keep the process alive.
process.exit(await runCommandLine(process.argv.slice(2)))
