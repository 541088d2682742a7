import { CrunchError } from '../domain/errors.ts'
import { type JsonObject, toJson } from '../domain/json/json.ts'
import { jsonEqual } from '../domain/json/json-equal.ts'
import { emissionStructure } from './contract-structure.ts'
import type { AnyContract } from './crunch-contract.ts'
import { proportional, softmax } from './defaults/by-value.ts'
import type { Emission, PayAbove } from './defaults/emission.ts'
import { tiers } from './defaults/tiers.ts'

/** The groups of a structure that boards and payouts depend on, in the form in which an author writes them. */
interface ClosingGroups {
  readonly snapshot: Pick<AnyContract['snapshot'], 'every' | 'metrics'>
  readonly leaderboard: AnyContract['leaderboard']
  readonly checkpoint: AnyContract['checkpoint']
  readonly baselines?: readonly string[]
}

/**
 * The contract for closing the rest of an ended era: its own snapshots, windows, ranking and payout. From the current
 * contract it only uses the code of an unchanged emission and of the ranking functions.
 * Throws CONTRACT_CHANGED when the code that ranked models or divided the payout is missing.
 */
export function endedContract(current: AnyContract, structure: JsonObject): AnyContract {
  const groups = structure as unknown as ClosingGroups
  const { snapshot, leaderboard, checkpoint, baselines = [] } = groups
  const emission = endedEmission(current.checkpoint.emission, toJson(checkpoint.emission) as JsonObject)
  const ranking = { ...leaderboard, ...endedFunctions(current.leaderboard, leaderboard) }
  return {
    ...current,
    baselines,
    snapshot,
    leaderboard: ranking,
    checkpoint: { ...checkpoint, emission },
  } as AnyContract
}

/** The ranking functions of the ended era; a structure only contains their existence. */
function endedFunctions(
  current: AnyContract['leaderboard'],
  stored: AnyContract['leaderboard'],
): Pick<AnyContract['leaderboard'], 'aggregate' | 'rank'> {
  const gone = (['aggregate', 'rank'] as const).filter(
    (name) => stored[name] !== undefined && current[name] === undefined,
  )
  if (gone.length > 0) {
    throw new CrunchError(
      'CONTRACT_CHANGED',
      `leaderboard.${gone[0]}: the ended era is ranked by that function, which the contract no longer has; ` +
        'keep it in the contract until the era is closed, or use another database',
    )
  }
  return {
    ...(stored.aggregate !== undefined && current.aggregate !== undefined && { aggregate: current.aggregate }),
    ...(stored.rank !== undefined && current.rank !== undefined && { rank: current.rank }),
  }
}

function endedEmission(current: Emission, stored: JsonObject): Emission {
  const { payAbove, ...division } = stored
  const floor = payAbove === undefined ? {} : { payAbove: payAbove as unknown as PayAbove }
  const { payAbove: _, ...now } = emissionStructure(current)
  if (jsonEqual(division, now)) {
    const { name, parameters = {}, shares } = current
    return { name, parameters, shares, ...floor }
  }
  const own = emissionOfEngine(division)
  if (own !== undefined) return { ...own, ...floor }
  throw new CrunchError(
    'CONTRACT_CHANGED',
    `checkpoint.emission: the ended era is paid by ${JSON.stringify(division)}, whose code the contract no longer has; ` +
      'keep that emission in the contract, or use another database',
  )
}

/** An emission of the engine with stored parameters; an author's emission may have such a name, but has other parameters. */
function emissionOfEngine({ name, parameters = {} }: JsonObject): Emission | undefined {
  const given = parameters as JsonObject
  const keys = Object.keys(given).join(' ')
  if (name === 'tiers' && Array.isArray(given.percentages)) return tiers(given.percentages as readonly number[])
  if (name === 'softmax' && typeof given.temperature === 'number') return softmax({ temperature: given.temperature })
  if (name !== 'proportional' || (keys !== '' && keys !== 'zeroAt')) return undefined
  return proportional(keys === '' ? {} : { zeroAt: given.zeroAt as number })
}
