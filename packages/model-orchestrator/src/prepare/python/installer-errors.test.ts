import { expect, it } from 'vitest'
import { lineThatMatters } from './installer-errors.ts'

it.each([
  [
    'pip',
    ['ERROR: Cannot install a and b', 'The conflict is', 'ERROR: ResolutionImpossible: see'],
    'Cannot install a and b',
  ],
  ['a build', ['error: subprocess-exited-with-error', 'x.c:1: fatal', '  error: no compiler'], 'no compiler'],
  [
    'pip, which names versions of other Pythons first',
    ['ERROR: Ignored the following yanked versions: 1', 'ERROR: Could not find a version that satisfies b==2'],
    'Could not find a version that satisfies b==2',
  ],
  [
    'a setup.py that throws',
    [
      ...[
        '  error: subprocess-exited-with-error',
        '  × python setup.py egg_info did not run',
        '  ╰─> [2 lines of output]',
      ],
      ...["      ModuleNotFoundError: No module named 'numpy'", '      [end of output]', '  note: This error'],
      ...['error: metadata-generation-failed', '╰─> See above for output.'],
    ],
    "ModuleNotFoundError: No module named 'numpy'",
  ],
  [
    'a compiler',
    [
      ...['  error: subprocess-exited-with-error', '      src/x.c:1:10: fatal error: Python.h: No such file'],
      ...['      compilation terminated.', "      error: command 'gcc' failed with exit code 1"],
      ...['      [end of output]', 'ERROR: Failed building wheel for b'],
    ],
    'src/x.c:1:10: fatal error: Python.h: No such file',
  ],
  ['uv', ['  × No solution found:', '  ╰─▶ Because b==2 is not there'], 'Because b==2 is not there'],
  ['a long line', [`ERROR: ${'v'.repeat(400)}`], `${'v'.repeat(300)}…`],
])('the line that matters is the cause: %s', (_, output, line) => {
  expect(lineThatMatters(output)).toBe(line)
})
