import { readFileSync } from 'node:fs'

/** `input.build at node/contract.ts:38 returned what input.schema refuses: days.0.tempMax: Invalid input` */
const refusedField = / at (.+?):(\d+) returned what \S+ refuses: ([\w.]+): /

/**
 * The line of a contract function that sets a refused field, e.g. `node/contract.ts:41`. `null` if the reason names no field, or
 * the function does not contain the name of the field.
 */
export function placeOfField(reason: string, contractPath: string): string | null {
  const [, file, line, path] = refusedField.exec(reason) ?? []
  if (file === undefined || line === undefined || path === undefined) return null
  // Only functions in the contract file itself are searched.
  if (!contractPath.replaceAll('\\', '/').endsWith(file)) return null
  const name = path.split('.').findLast((part) => !/^\d+$/.test(part))
  if (name === undefined) return null
  const first = Number(line) - 1
  const offset = linesOfFunction(readFileSync(contractPath, 'utf8').split('\n').slice(first)).findIndex((text) =>
    new RegExp(`(^|[\\s{,(])${name}\\s*([:,}]|$)`).test(text),
  )
  return offset < 0 ? null : `${file}:${first + offset + 1}`
}

/** The lines of a function. It ends before the next line that is indented no deeper than its first. */
function linesOfFunction(lines: readonly string[]): readonly string[] {
  const depth = (line: string) => line.length - line.trimStart().length
  const [first = '', ...rest] = lines
  const end = rest.findIndex((line) => line.trim() !== '' && depth(line) <= depth(first))
  return [first, ...rest.slice(0, end < 0 ? rest.length : end)]
}
