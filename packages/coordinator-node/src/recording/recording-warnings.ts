import { isExpectedError } from '@crunch/local-processes/errors'
import type { AnyContract } from '../contract/crunch-contract.ts'
import { contractFeeds } from '../contract/resolved-contract.ts'
import { type Log, silentLog } from '../ports/log.ts'
import { contractRecording } from './contract-recording.ts'

/** A log that only passes on warnings about recordings, each as one line. */
export function warningLog(onWarning: (warning: string) => void): Log {
  return { ...silentLog, warn: (message, fields) => onWarning(`${fields?.file}: ${message}: ${fields?.reason}`) }
}

/**
 * The warnings that the first records of recordings cause. A recording that cannot be read has none: whoever reads it reports
 * the error.
 */
export async function recordingWarnings(
  contract: AnyContract,
  files: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const warnings: string[] = []
  const log = warningLog((text) => warnings.push(text))
  const scopes = contractFeeds(contract).map(({ scope }) => scope)
  try {
    // Leaving the loop closes the files.
    for await (const _ of contractRecording(contract, files, log).stream(scopes, new Map(), signal)) break
  } catch (error) {
    if (!isExpectedError(error)) throw error
  }
  return warnings
}
