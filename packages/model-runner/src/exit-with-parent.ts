import { Worker } from 'node:worker_threads'

/**
 * Ends this process when stdin closes, which happens when the parent dies, even by SIGKILL. A separate thread watches
 * stdin, because a model in an endless loop blocks the main thread and would outlive the parent.
 */
export function exitWithParent(): void {
  new Worker(WATCH_STDIN, { eval: true, stdin: false }).unref()
}

const WATCH_STDIN = `
const { Socket } = require('node:net')
const end = () => process.kill(process.pid, 'SIGKILL')
const stdin = new Socket({ fd: 0, readable: true, writable: false })
stdin.on('end', end).on('error', end).on('close', end).resume()
`
