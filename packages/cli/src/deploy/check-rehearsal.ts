import { isExpectedError } from '@crunch/local-processes/errors'
import type { CliProblem } from '../cli-error.ts'
import { type AnyContract, rehearseNodeContract } from '../engine.ts'
import { countOf, formatRefusals } from '../tables.ts'
import type { Workspace } from '../workspace.ts'
import { findRecordings } from './deployment-plan.ts'

/** What a rehearsal of the contract found, and what it was. */
export interface RehearsalCheck {
  readonly findings: readonly CliProblem[]
  readonly notes: readonly string[]
}

/** ` at node/contract.ts:38`, as reasons of the engine name the author's code. */
const placePattern = / at (.+?:\d+)(?=:| returned)/
const ofTheAuthor =
  /\b(input|prediction|truth|score|snapshot|leaderboard|checkpoint)(\.\w+)+( at .+?:\d+)? (failed|returned)/

/** Runs the contract's first rounds with example answers, on the workspace's recordings or on made-up records. */
export async function checkRehearsal(
  workspace: Workspace,
  contract: AnyContract,
  signal: AbortSignal,
): Promise<RehearsalCheck> {
  const files = recordingsOf(workspace)
  const records = files.length === 0 ? 'made-up records' : files.join(', ')
  try {
    const rehearsal = await rehearseNodeContract(contract, files, signal)
    if (rehearsal === null) {
      const why = 'no example can be made from its schemas; try it out with: crunch simulate --recording FILE'
      return { findings: [], notes: [`The contract is not rehearsed: ${why}.`] }
    }
    const { failure, refusals, roundCount, scoredCount } = rehearsal
    // Made-up records may be unlike any that the contract is for: only its own code is then at fault.
    if (failure !== null && (files.length > 0 || ofTheAuthor.test(failure))) {
      return { findings: [describe(failure, workspace.contractPath, records)], notes: [] }
    }
    if (failure !== null) return { findings: [], notes: [`The rehearsal on made-up records shows nothing: ${failure}`] }
    const counted = `${countOf(roundCount, 'round')} and ${countOf(scoredCount, 'score')}`
    return { findings: [], notes: [`Rehearsed on ${records}: ${counted}.`, ...formatRefusals(refusals)] }
  } catch (error) {
    if (!isExpectedError(error)) throw error
    const fix = 'correct the file, or move it out of the folder of recordings'
    return { findings: [{ place: records, cause: error.message, fix }], notes: [] }
  }
}

function describe(failure: string, contractPath: string, records: string): CliProblem {
  return {
    place: placePattern.exec(failure)?.[1] ?? contractPath,
    cause: `a rehearsal on ${records} shows that the competition would not work: ${failure}`,
    fix: 'correct that place; crunch check rehearses again',
  }
}

function recordingsOf(workspace: Workspace): readonly string[] {
  try {
    return findRecordings(workspace, '')
  } catch (error) {
    if (isExpectedError(error)) return []
    throw error
  }
}
