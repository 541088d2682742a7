export type Compare<Item> = (left: Item, right: Item) => number

/** Binary search: the index of the first item for which `isBehind` holds. It must hold for all items after that one. */
export function firstIndex<Item>(items: readonly Item[], isBehind: (item: Item) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBehind(items[middle] as Item)) high = middle
    else low = middle + 1
  }
  return low
}

/** Inserts an item in order. Nearly all items arrive in order, so the end is tried first. */
export function insertSorted<Item>(items: Item[], item: Item, compare: Compare<Item>): void {
  const last = items.at(-1)
  if (last === undefined || compare(last, item) <= 0) items.push(item)
  else
    items.splice(
      firstIndex(items, (other) => compare(other, item) > 0),
      0,
      item,
    )
}

/** Inserts many items in order: a few one by one, many by one sort, which is linear for two sorted runs. */
export function insertAllSorted<Item>(items: Item[], added: readonly Item[], compare: Compare<Item>): void {
  if (added.length <= 16) {
    for (const item of added) insertSorted(items, item, compare)
    return
  }
  for (const item of added) items.push(item)
  items.sort(compare)
}
