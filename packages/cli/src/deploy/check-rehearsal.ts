import { isExpectedError } from '@crunch/local-processes/errors'
import type { CliProblem } from '../cli-error.ts'
import { type AnyContract, rehearseNodeContract, type SimulationResult } from '../engine.ts'
import { countOf, formatRefusals } from '../tables.ts'
import type { Workspace } from '../workspace.ts'
import { findRecordings } from './deployment-plan.ts'
import { placeOfField } from './field-place.ts'

type Refusal = SimulationResult['refusals'][number]

export interface RehearsalCheck {
  readonly findings: readonly CliProblem[]
  readonly notes: readonly string[]
}

/** Matches a place in the author's code, as the engine writes it in reasons: ` at node/contract.ts:38`. */
const placePattern = / at (.+?:\d+)(?=:| returned)/
const ofTheAuthor =
  /\b(input|prediction|truth|score|snapshot|leaderboard|checkpoint)(\.\w+)+( at .+?:\d+)? (failed|returned)/

/** Runs the contract's first rounds with example answers, on the workspace's recordings or on generated records. */
export async function checkRehearsal(
  workspace: Workspace,
  contract: AnyContract,
  signal: AbortSignal,
): Promise<RehearsalCheck> {
  const files = recordingsOf(workspace)
  const records = files.length === 0 ? 'generated records' : files.join(', ')
  const warnings: string[] = []
  try {
    const rehearsal = await rehearseNodeContract(contract, files, signal, (text) => warnings.push(`warning: ${text}`))
    if (rehearsal === null) {
      const why = 'no example can be made from its schemas; try it out with: crunch simulate --recording FILE'
      return { findings: [], notes: [`The contract is not rehearsed: ${why}.`] }
    }
    const { failure, refusals, roundCount, scoredCount } = rehearsal
    // Generated records can be unlike real ones, so on them only an error in the author's code is a finding.
    if (failure !== null && (files.length > 0 || ofTheAuthor.test(failure))) {
      return { findings: [describe(failure, workspace.contractPath, records)], notes: warnings }
    }
    if (failure !== null)
      return { findings: [], notes: [`The rehearsal on generated records is inconclusive: ${failure}`] }
    const counted = `${countOf(roundCount, 'round')} and ${countOf(scoredCount, 'score')}`
    const isFault = (refusal: Refusal) => isFinding(refusal, files.length > 0)
    return {
      findings: formatRefusals(refusals.filter(isFault)).map((text) => describe(text, workspace.contractPath, records)),
      notes: [
        ...warnings,
        `Rehearsed on ${records}: ${counted}.`,
        ...formatRefusals(refusals.filter((refusal) => !isFault(refusal))),
      ],
    }
  } catch (error) {
    if (!isExpectedError(error)) throw error
    const fix = 'correct the file, or move it out of the folder of recordings'
    return { findings: [{ place: records, cause: error.message, fix }], notes: [] }
  }
}

/**
 * A scorer must accept every answer that the schema accepts. On a recording, `truth.resolve` must not throw. The first inputs of a
 * recording may be refused, because their window is not full yet.
 */
function isFinding({ what, reason }: Refusal, isRecorded: boolean): boolean {
  return what === 'scores' || (what === 'truths' && isRecorded && ofTheAuthor.test(reason))
}

function describe(failure: string, contractPath: string, records: string): CliProblem {
  return {
    place: placeOfField(failure, contractPath) ?? placePattern.exec(failure)?.[1] ?? contractPath,
    cause: `a rehearsal on ${records} shows that the contract is wrong: ${failure}`,
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
