/** 100 % of a payout in the unit of the API's `reward_pct`. */
export const fullReward = 1_000_000_000
/** Decimals of a percentage of which one unit is the last digit. */
const unitDecimals = 7

/** The fewest decimals with which every one of these rewards is exact as a percentage. */
export function shareDecimals(rewards: readonly number[]): number {
  return Math.max(0, ...rewards.map((reward) => digitsOf(reward).replace(/0+$/, '').length))
}

/** A reward as an exact percentage: nothing is rounded. Trailing zeros fill up to `decimals`, so that points align. */
export function exactShare(reward: number, decimals = shareDecimals([reward])): string {
  const digits = digitsOf(reward).slice(0, Math.max(decimals, shareDecimals([reward])))
  const whole = Math.floor(reward / 10 ** unitDecimals)
  return `${digits === '' ? whole : `${whole}.${digits}`} %`
}

/** The seven digits behind the point. */
function digitsOf(reward: number): string {
  return String(reward % 10 ** unitDecimals).padStart(unitDecimals, '0')
}

export function sumOf(rewards: readonly { readonly reward_pct: number }[]): number {
  return rewards.reduce((sum, { reward_pct }) => sum + reward_pct, 0)
}
