import { type Checkpoint, fullRewardFrac64, type Winner } from '../checkpoint.ts'
import { present } from '../errors.ts'
import { divideExactly } from './divide-exactly.ts'

/** Units of the chain's emissions in one percent. */
const unitsPerPercent = fullRewardFrac64 / 100

/** The smallest units of a prize in one token, as of USDC. */
const microUnits = 1_000_000

/** A payout in the form of the chain's emissions: `entries[0]` of a checkpoint. */
export interface EmissionRow {
  /** On-chain name of the competition; empty if it was not set when the checkpoint closed. */
  readonly crunch: string
  readonly cruncher_rewards: readonly {
    /** POSITION of the model in the checkpoint's ranking, as the web page reads it; never an index on chain. */
    readonly cruncher_index: number
    /** 1,000,000,000 = 100 %. */
    readonly reward_pct: number
    /** The cruncher's index on chain; `null` until it is mapped. */
    readonly onchain_cruncher_index: number | null
  }[]
  readonly compute_provider_rewards: readonly ProviderReward[]
  readonly data_provider_rewards: readonly ProviderReward[]
}

interface ProviderReward {
  readonly provider: string
  readonly reward_pct: number
}

/** One entry for each paid model; the rewards add up to 1,000,000,000, or there are none. */
export function emissionRow(checkpoint: Checkpoint, winners: readonly Winner[]): EmissionRow {
  const indexes = new Map(winners.map(({ modelId, onchainIndex }) => [modelId, onchainIndex]))
  return {
    crunch: checkpoint.crunch ?? '',
    cruncher_rewards: checkpoint.entries.flatMap(({ modelId, rewardFrac64 }, position) =>
      rewardFrac64 === 0
        ? []
        : [
            {
              cruncher_index: position,
              reward_pct: rewardFrac64,
              onchain_cruncher_index: indexes.get(modelId) ?? null,
            },
          ],
    ),
    compute_provider_rewards: providerRewards(checkpoint.computeProvider),
    data_provider_rewards: providerRewards(checkpoint.dataProvider),
  }
}

function providerRewards(provider: string | null): readonly ProviderReward[] {
  return provider === null ? [] : [{ provider, reward_pct: fullRewardFrac64 }]
}

/**
 * The file of the chain's command line, one line of JSON: percent by wallet, in order of the best model, with the sum of a wallet's
 * models. Percentages have up to 7 decimals, one for each unit of a reward, so that they add up to exactly 100 and nothing is rounded.
 * @param winners all with a wallet
 */
export function cliFile(checkpoint: Checkpoint, crunch: string, winners: readonly Winner[]): string {
  const byWallet = new Map<string, number>()
  for (const { wallet, rewardFrac64 } of winners) {
    const key = present(wallet, 'the wallet of a winner')
    byWallet.set(key, (byWallet.get(key) ?? 0) + rewardFrac64)
  }
  const ofProvider = (provider: string | null) => percentages(provider === null ? [] : [[provider, fullRewardFrac64]])
  const [compute, data] = [ofProvider(checkpoint.computeProvider), ofProvider(checkpoint.dataProvider)]
  return `{"crunch":${JSON.stringify(crunch)},"crunchEmission":${percentages([...byWallet])},"computeProvider":${compute},"dataProvider":${data}}\n`
}

/** Written by hand: a float would lose digits, and JSON.stringify writes 60 for the 60.0 of the Python engine. */
function percentages(rewards: readonly (readonly [string, number])[]): string {
  return `{${rewards.map(([name, units]) => `${JSON.stringify(name)}:${decimal(units, unitsPerPercent, 1)}`).join(',')}}`
}

/** `units / one` in plain decimal digits, exact, with at least `least` decimals. `one` is a power of ten. */
function decimal(units: number, one: number, least: number): string {
  const digits = String(units).padStart(String(one).length, '0')
  const point = digits.length - String(one).length + 1
  const decimals = digits.slice(point).replace(/0+$/, '').padEnd(least, '0')
  return decimals === '' ? digits.slice(0, point) : `${digits.slice(0, point)}.${decimals}`
}

/** One prize of a checkpoint. */
export interface PrizeRow {
  /** The checkpoint and the model. */
  readonly prizeId: string
  /** End of the period, in Unix SECONDS. */
  readonly timestamp: number
  /** Id of the model. */
  readonly model: string
  /** In micro-units: 1,000,000 is one token. */
  readonly prize: number
}

/**
 * The prizes of a checkpoint, best first; they add up to exactly `total`, by largest remainder. A model whose part of the total is
 * below one micro-unit has the prize 0.
 * @param total in micro-units, a safe integer that is not negative
 */
export function prizeRows(checkpoint: Checkpoint, total: number): readonly PrizeRow[] {
  const paid = checkpoint.entries.filter(({ rewardFrac64 }) => rewardFrac64 > 0)
  if (paid.length === 0) return []
  const prizes = divideExactly(
    total,
    paid.map(({ rewardFrac64 }) => rewardFrac64),
  )
  return paid.map(({ modelId }, index) => ({
    prizeId: `${checkpoint.id}-${modelId}`,
    timestamp: Math.floor(checkpoint.periodEnd / 1_000),
    model: modelId,
    prize: present(prizes[index], 'a prize'),
  }))
}

/** The prize file of the web page: one line, a JSON array of {@link PrizeRow}. */
export function prizesJson(checkpoint: Checkpoint, total: number): string {
  return `${JSON.stringify(prizeRows(checkpoint, total))}\n`
}

/** The prize file of the chain's command line: a line of JSON for each prize, in Unix MILLISECONDS and tokens. */
export function prizesNdjson(checkpoint: Checkpoint, total: number): string {
  return prizeRows(checkpoint, total)
    .map(
      ({ model, prize }) =>
        `{"timestamp":${checkpoint.periodEnd},"model":${JSON.stringify(model)},"prize":${decimal(prize, microUnits, 0)}}\n`,
    )
    .join('')
}
