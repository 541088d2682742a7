/** One model in two languages: a runner's response must not depend on the language of the model. */
export const typescriptModel = {
  'tracker.ts': `
export abstract class TrackerBase {
  abstract predict(subject: string): unknown
}
export const nothing = 1
`,
  'main.ts': `
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { TrackerBase } from './tracker.ts'

export class Model extends TrackerBase {
  count = 0
  constructor(readonly first?: unknown, readonly second?: unknown) {
    super()
  }
  predict(subject: string, horizon = 60, step = 15) {
    this.count += 1
    return { subject, horizon, step }
  }
  tick(_data: unknown): void {}
  echo(value: unknown) {
    return value
  }
  counted() {
    return this.count
  }
  made() {
    return [this.first ?? null, this.second ?? null]
  }
  extra(subject: string, { ...extra } = {}) {
    return [subject, extra]
  }
  fail() {
    throw new Error('no data yet')
  }
  true() {
    return true
  }
  notANumber() {
    return Number.NaN
  }
  infinity() {
    return Number.POSITIVE_INFINITY
  }
  notANumberInside() {
    return { mean: Number.NaN }
  }
  whole() {
    return 3
  }
  fraction() {
    return 0.5
  }
  hugeInteger() {
    return 2n ** 63n
  }
  text() {
    return 'é'
  }
  emptyText() {
    return ''
  }
  list() {
    return [1, 0.5, null, true, 'é']
  }
  keyed() {
    return { 1: 'one' }
  }
  unsupported() {
    return () => 1
  }
  async hold(file: string) {
    while (!existsSync(file)) await delay(10)
    return 'released'
  }
}
`,
} as const

export const pythonModel = {
  'tracker.py': `
from abc import ABC, abstractmethod

class TrackerBase(ABC):
    @abstractmethod
    def predict(self, subject): ...

nothing = 1
`,
  'main.py': `
import os
import time
from tracker import TrackerBase

class Model(TrackerBase):
    def __init__(self, first=None, second=None):
        self.count = 0
        self.first = first
        self.second = second
    def predict(self, subject, horizon=60, step=15):
        self.count += 1
        return {"subject": subject, "horizon": horizon, "step": step}
    def tick(self, data):
        pass
    def echo(self, value):
        return value
    def counted(self):
        return self.count
    def made(self):
        return [self.first, self.second]
    def extra(self, subject, **extra):
        return [subject, extra]
    def fail(self):
        raise ValueError("no data yet")
    def true(self):
        return True
    def notANumber(self):
        return float("nan")
    def infinity(self):
        return float("inf")
    def notANumberInside(self):
        return {"mean": float("nan")}
    def whole(self):
        return 3
    def fraction(self):
        return 0.5
    def hugeInteger(self):
        return 2**63
    def text(self):
        return "é"
    def emptyText(self):
        return ""
    def list(self):
        return [1, 0.5, None, True, "é"]
    def keyed(self):
        return {1: "one"}
    def unsupported(self):
        return (1, 2)
    def hold(self, file):
        while not os.path.exists(file):
            time.sleep(0.01)
        return "released"
`,
} as const

/** Folders whose Setup fails, by the fault. */
export const typescriptFailures = {
  'no class': { ...typescriptModel, 'main.ts': 'export class Model {}\n' },
  'a constructor that throws': {
    ...typescriptModel,
    'main.ts': `import { TrackerBase } from './tracker.ts'
export class Model extends TrackerBase {
  constructor() {
    super()
    throw new Error('no weights')
  }
  predict() {}
}
`,
  },
  'a constructor that imports a missing module': {
    ...typescriptModel,
    'main.ts': `import { createRequire } from 'node:module'
import { TrackerBase } from './tracker.ts'
export class Model extends TrackerBase {
  constructor() {
    super()
    createRequire(import.meta.url)('not-installed')
  }
  predict() {}
}
`,
  },
  'a file that imports a missing module': {
    ...typescriptModel,
    'main.ts':
      "import 'not-installed'\nimport { TrackerBase } from './tracker.ts'\nexport class Model extends TrackerBase {}\n",
  },
}

export const pythonFailures = {
  'no class': { ...pythonModel, 'main.py': 'class Model:\n    pass\n' },
  'a constructor that throws': {
    ...pythonModel,
    'main.py': `from tracker import TrackerBase
class Model(TrackerBase):
    def __init__(self):
        raise ValueError("no weights")
    def predict(self, subject): ...
`,
  },
  'a constructor that imports a missing module': {
    ...pythonModel,
    'main.py': `from tracker import TrackerBase
class Model(TrackerBase):
    def __init__(self):
        import not_installed
    def predict(self, subject): ...
`,
  },
  'a file that imports a missing module': {
    ...pythonModel,
    'main.py':
      'import not_installed\nfrom tracker import TrackerBase\nclass Model(TrackerBase):\n    def predict(self, subject): ...\n',
  },
}

export type FailureName = keyof typeof typescriptFailures
