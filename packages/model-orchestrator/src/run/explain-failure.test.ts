import { describe, expect, it } from 'vitest'
import { explainReport } from './explain-failure.ts'

const directories = ['/work/submissions/mine']
const notFound =
  "Setup was answered with BAD_IMPLEMENTATION: No Inherited class found from <class 'tracker.TrackerBase'>."

/** The deployed runner's log for a file that it cannot import. */
const importLog = (module: string, file: string, ...error: readonly string[]) => [
  `ERROR    - Error importing module '${module}'`,
  'Traceback (most recent call last):',
  '  File "/env/lib/python3.11/site-packages/model_runner/utils/class_resolver.py", line 32, in load_instance',
  '    module = importlib.import_module(module_name)',
  `  File "/work/submissions/mine/${file}", line 4, in <module>`,
  ...error,
]
const endOfLog = [
  'ERROR    - BAD_IMPLEMENTATION: Import error occurred',
  'Traceback (most recent call last):',
  '  File "/env/lib/python3.11/site-packages/model_runner/utils/class_resolver.py", line 54, in load_instance',
  "ImportError: No Inherited class found from <class 'tracker.TrackerBase'>.",
]

describe('a report that no class was found', () => {
  it('begins with the place and the error if a Python file cannot be imported', () => {
    const errorLines = [
      ...importLog('main', 'main.py', '    import lightgbmx', "ModuleNotFoundError: No module named 'lightgbmx'"),
      ...importLog('tests', 'tests.py', 'ValueError: of a file that does not matter'),
      ...endOfLog,
    ]
    expect(explainReport(notFound, { directories, isPython: true, errorLines })).toBe(
      `main.py line 4: ModuleNotFoundError: No module named 'lightgbmx' (${notFound})`,
    )
  })

  it('names a failing Python file other than main.py', () => {
    const errorLines = [...importLog('model', 'model.py', "SyntaxError: expected ':'"), ...endOfLog]
    expect(explainReport(notFound, { directories, isPython: true, errorLines })).toBe(
      `model.py line 4: SyntaxError: expected ':' (${notFound})`,
    )
  })

  it("begins with the cause that the runner reports, with the author's paths", () => {
    const reason = `${notFound} /work/submissions/mine/main.ts:3:38: Unexpected "}"`
    expect(explainReport(reason, { directories, isPython: false, errorLines: [] })).toBe(
      `main.ts:3:38: Unexpected "}" (${notFound})`,
    )
  })

  it.each([
    [true, 'none of its files has a class that extends TrackerBase; write class MyModel(TrackerBase)'],
    [false, 'its main file exports no class that extends TrackerBase; write export class MyModel extends TrackerBase'],
  ])('explains which class is missing (Python: %s)', (isPython, text) => {
    expect(explainReport(notFound, { directories, isPython, errorLines: endOfLog })).toBe(`${text} (${notFound})`)
  })
})

describe('a report that a constructor failed', () => {
  it('begins with the place in the Python file', () => {
    const errorLines = [
      'ERROR    - SETUP_FAILED: An exception occurred during setup',
      '  File "/env/lib/python3.11/site-packages/model_runner/utils/class_resolver.py", line 52, in load_instance',
      '  File "/work/submissions/mine/main.py", line 5, in __init__',
      '  File "/work/submissions/mine/lib/load.py", line 2, in load',
      "FileNotFoundError: [Errno 2] No such file or directory: 'weights.bin'",
    ]
    const reason = "Setup was answered with SETUP_FAILED: [Errno 2] No such file or directory: 'weights.bin'"
    expect(explainReport(reason, { directories, isPython: true, errorLines })).toBe(
      "lib/load.py line 2: [Errno 2] No such file or directory: 'weights.bin' (Setup was answered with SETUP_FAILED)",
    )
  })

  it('begins with the place in the TypeScript file', () => {
    const errorLines = [
      '    at earlier (/work/submissions/mine/main.ts:9:9)',
      'ERROR    - Setup of tracker.TrackerBase failed: Error: no weights',
      '    at load (/work/submissions/mine/load.ts:2:7)',
      '    at new Model (/work/submissions/mine/main.ts:3:5)',
    ]
    expect(
      explainReport('Setup was answered with SETUP_FAILED: no weights', { directories, isPython: false, errorLines }),
    ).toBe('load.ts line 2: no weights (Setup was answered with SETUP_FAILED)')
  })
})

it('leaves every other reason unchanged', () => {
  const reason = 'predict failed 101 times in a row, the last time with model_error: no idea'
  expect(explainReport(reason, { directories, isPython: true, errorLines: endOfLog })).toBe(reason)
})
