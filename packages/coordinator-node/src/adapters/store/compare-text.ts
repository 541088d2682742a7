/**
 * Orders texts by code point, as PostgreSQL's collation "C" does in UTF-8, so that every store gives rows in one order.
 * JavaScript's `<` compares UTF-16 units instead, which puts an emoji before U+E000 to U+FFFF.
 */
export function compareText(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const leftUnit = left.charCodeAt(index)
    const rightUnit = right.charCodeAt(index)
    if (leftUnit !== rightUnit) return weight(leftUnit) - weight(rightUnit)
  }
  return left.length - right.length
}

/** Lifts surrogates, the halves of code points above U+FFFF, over every other unit. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
