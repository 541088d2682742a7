// Loaded into every supervised process before its own program. The supervisor holds the other end of the process's
// standard input and never writes to it: when the supervisor is gone, however it ended, the pipe closes, and the
// process asks itself to drain and stop; one that does not is ended.
// As long as the database may take for its shutdown; the others need less.
const drainMs = 20_000

process.stdin.once('close', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), drainMs).unref()
})
process.stdin.on('error', () => process.stdin.destroy())
process.stdin.resume()
// A pipe that is listened to must not keep a process alive that has nothing else to do.
process.stdin.unref?.()
