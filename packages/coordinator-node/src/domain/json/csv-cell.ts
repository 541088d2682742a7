/** A text as a cell (RFC 4180). Spreadsheets run one that begins like a formula, and participants choose names: an apostrophe prevents it. */
export function csvText(text: string): string {
  return csvValue(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
}

/** A number, a boolean or JSON as a cell. */
export function csvValue(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
