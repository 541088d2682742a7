/**
 * Orders texts by code point, like PostgreSQL's collation "C" in UTF-8, so that all stores return rows in the same order.
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

/** Maps surrogates, the halves of code points above U+FFFF, above all other units. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
