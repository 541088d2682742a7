/** The limits of one answer. The time to validate, store and score it depends on its values, not on its bytes. */
export interface AnswerLimits {
  /** Each number, string, boolean, null, list and object counts as one; keys do not count. */
  readonly maxValues: number
  /** Total length of all texts and keys. */
  readonly maxCharacters: number
  /** Nesting of lists and objects. A recursive schema may try each of its variants at each level. */
  readonly maxDepth: number
}

/** The default: three times a table of a thousand rows, or densities at 288 steps. */
export const defaultMaxValues = 10_000
/** Validating this many may take a tenth of a second, in which no other answer is read. */
export const highestMaxValues = 100_000
/** How often each value may be checked on average. A schema whose unions have more forms takes fewer values. */
const formsPerValue = 3

const charactersPerValue = 16
const maxDepth = 16
/** The longest number has 25 characters, a character may take six bytes, and there are commas and colons. */
const bytesPerValue = 128
/** A lower limit gains nothing: failure details use the same messages. */
const minBytes = 256 * 1024

export function answerLimits(maxValues: number = defaultMaxValues): AnswerLimits {
  return { maxValues, maxCharacters: charactersPerValue * maxValues, maxDepth }
}

/** A limit of values, lowered for a schema that may check each value `forms` times, so that validation does not take longer. */
export function limitForForms(maxValues: number, forms: number): number {
  return Math.floor(maxValues * Math.min(1, formsPerValue / forms))
}

/** The lowest `maxValues` under which an answer passes; `null` when it exceeds every limit. */
export function neededMaxValues(answer: unknown): number | null {
  const counted = { values: 0, characters: 0 }
  if (count(answer, 0, counted, answerLimits(highestMaxValues)) !== null) return null
  return Math.max(counted.values, Math.ceil(counted.characters / charactersPerValue))
}

/** More bytes than any encoding of an answer within the limits needs, unless it is padded. */
export function answerBytes({ maxValues }: AnswerLimits): number {
  return Math.max(minBytes, bytesPerValue * maxValues)
}

export interface AnswerSize {
  readonly values: number
  /** Which limit the answer exceeds, in words; `null` if none. */
  readonly excess: string | null
}

/** Stops at the first exceeded limit, so that a larger answer does not take longer. */
export function measureAnswer(answer: unknown, limits: AnswerLimits): AnswerSize {
  const counted = { values: 0, characters: 0 }
  return { excess: count(answer, 0, counted, limits), values: counted.values }
}

function count(
  value: unknown,
  depth: number,
  counted: { values: number; characters: number },
  limits: AnswerLimits,
): string | null {
  counted.values += 1
  if (counted.values > limits.maxValues) return `holds more than ${limits.maxValues} values`
  if (typeof value === 'string') return addText(value, counted, limits)
  if (typeof value !== 'object' || value === null) return null
  if (depth >= limits.maxDepth) return `is nested more than ${limits.maxDepth} levels deep`
  if (Array.isArray(value)) {
    for (const item of value) {
      const excess = count(item, depth + 1, counted, limits)
      if (excess !== null) return excess
    }
    return null
  }
  for (const key in value) {
    const excess =
      addText(key, counted, limits) ?? count((value as Record<string, unknown>)[key], depth + 1, counted, limits)
    if (excess !== null) return excess
  }
  return null
}

function addText(text: string, counted: { characters: number }, { maxCharacters }: AnswerLimits): string | null {
  counted.characters += text.length
  return counted.characters > maxCharacters ? `has strings and keys of more than ${maxCharacters} characters` : null
}
