export { DirectoryBusyError, withDirectoryLock } from './directory-lock.ts'
export { isPrintable, printable, printableLines } from './printable.ts'
export { isProcessAlive, processCommand, processIdentity } from './process-identity.ts'
export { systemErrorCode } from './system-error-code.ts'
