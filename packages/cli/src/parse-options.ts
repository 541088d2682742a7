import { type Command, InvalidArgumentError } from 'commander'

/** Parses a count. Throws InvalidArgumentError if it is not a whole number up to 100,000. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count <= 100_000) return count
  throw new InvalidArgumentError('Use a whole number up to 100000.')
}

/** Times as typed on the command line. */
export interface TimeFlags {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/**
 * Parses `--from` and `--to` like times in recordings: UTC unless a zone is given; a day means its beginning. The parser belongs to
 * the engine, which is loaded only when a command runs. Ends the command with code 2 for an invalid time.
 */
export async function readTimeFlags(flags: TimeFlags, command: Command): Promise<{ from?: number; to?: number }> {
  const { readInstant } = await import('./engine.ts')
  const read = (name: 'from' | 'to', text: string): number => {
    const reading = readInstant(text)
    if (reading.at !== undefined) return reading.at
    const problem = `option '--${name} <time>' argument '${text}' is invalid: ${reading.cause}.`
    return command.error(`error: ${problem} ${reading.fix}`, { exitCode: 2 })
  }
  const { from, to } = flags
  return {
    ...(from === undefined ? {} : { from: read('from', from) }),
    ...(to === undefined ? {} : { to: read('to', to) }),
  }
}

/** Parses an amount in micro-units. Throws InvalidArgumentError if it is not a whole number that can be divided exactly. */
export function parseMicroUnits(text: string): number {
  const amount = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(amount) && amount > 0) return amount
  throw new InvalidArgumentError('Use a whole number of micro-units from 1 to 9007199254740991: 1000000 is one USDC.')
}
