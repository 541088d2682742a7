const maxLength = 200

/** The beginning of a client's text, so that an error is not as long as what it refuses. */
export function cutText(text: string): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}...`
}
