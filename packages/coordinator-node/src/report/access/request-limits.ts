/** 1,000 model ids, each in a parameter of its own. */
const maxQueryLength = 32_768
const maxParameters = 1_100
/** A browser sends about twenty. */
const maxHeaders = 100

export interface LimitRefusal {
  readonly status: 400 | 414 | 431
  readonly text: string
}

/** Why the form of a request is refused before anything reads it; `null` if it is accepted. */
export function whyOutOfLimits(url: URL, headerCount: number): LimitRefusal | null {
  if (headerCount > maxHeaders) return { status: 431, text: `The request has more than ${maxHeaders} headers.` }
  if (url.search.length > maxQueryLength) {
    return { status: 414, text: `The query is longer than ${maxQueryLength} characters.` }
  }
  if (url.search !== '' && url.search.split('&', maxParameters + 1).length > maxParameters) {
    return { status: 400, text: `The query has more than ${maxParameters} parameters.` }
  }
  if (/%00|\0/.test(url.pathname + url.search)) return { status: 400, text: 'The URL contains a NUL character.' }
  return null
}
