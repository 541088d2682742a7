import { expect, it } from 'vitest'
import { readDiagnostics } from './check-types.ts'

it('parses compiler errors: first lines with absolute places, except errors in submissions and installed files', () => {
  const output = [
    "contract.ts(38,15): error TS2339: Property 'x' does not exist on type 'Values'.",
    '  Its members are:',
    "../challenge/src/scoring.ts(4,1): error TS2304: Cannot find name 'y'.",
    "deployment/model-orchestrator-local/data/submissions/a/main.ts(1,1): error TS2304: Cannot find name 'z'.",
    "error TS2688: Cannot find type definition file for 'node'.",
  ].join('\r\n')
  expect(readDiagnostics(output, '/home/me/node').map(({ place, cause }) => [place, cause])).toEqual([
    ['/home/me/node/contract.ts:38', "TS2339: Property 'x' does not exist on type 'Values'."],
    ['/home/me/challenge/src/scoring.ts:4', "TS2304: Cannot find name 'y'."],
  ])
  expect(readDiagnostics('', '/home/me/node')).toEqual([])
})
