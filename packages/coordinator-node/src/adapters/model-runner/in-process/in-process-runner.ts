import type { ModelIdentity } from '../../../domain/models/model.ts'
import type { ModelAnswers, ModelCall, ModelRunner } from '../../../ports/model-runner.ts'
import { startExpiry } from '../dispatch-expiry.ts'
import { type Answers, InProcessModel } from './in-process-model.ts'
import { prepareCall } from './prepared-call.ts'

export interface InProcessModelSource {
  readonly identity: ModelIdentity
  /** An instance of the participant's class. */
  readonly model: object
}

/**
 * Calls objects of this process as models, for simulations and tests, with what the wire does to arguments and results.
 *
 * A synchronous method cannot be interrupted: its answer counts however long it took, so that a simulation's result
 * does not depend on the machine. Asynchronous methods are timed. Throws when two models have the same id.
 */
export function createInProcessRunner(models: readonly InProcessModelSource[]): ModelRunner {
  let open = inOrderOfId(models.map(({ identity, model }) => new InProcessModel(identity, model)))

  return {
    models: () => open.map(({ identity }) => identity),
    reachable: () => true,
    excuseOf: () => null,
    async dispatch(calls, timeoutMs, except) {
      const asked = except === undefined ? open : open.filter(({ identity }) => !except.has(identity.id))
      return dispatchTo(asked, calls, timeoutMs)
    },
    // The caller of a simulation names its models; none is removed while it runs.
    retirementOf: () => null,
    onModel(listener) {
      for (const { identity } of open) listener(identity)
      return () => {}
    },
    // Models of this process belong to the author, so there is no one to notify.
    judge() {},
    async close() {
      open = []
    },
  }
}

function dispatchTo(
  models: readonly InProcessModel[],
  calls: readonly ModelCall[],
  timeoutMs: number,
): readonly ModelAnswers[] | Promise<readonly ModelAnswers[]> {
  const prepared = calls.map(prepareCall)
  const expiry = startExpiry(timeoutMs)
  const answers: (Answers | Promise<Answers>)[] = models.map((model) => model.run(prepared, expiry))
  const named = (all: readonly Answers[]) =>
    all.map((own, index) => ({ modelId: models[index]!.identity.id, answers: own }))
  if (areAllThere(answers)) return named(answers)
  return Promise.all(answers).then(named).finally(expiry.clear)
}

function areAllThere(answers: readonly (Answers | Promise<Answers>)[]): answers is readonly Answers[] {
  return answers.every((own) => !(own instanceof Promise))
}

function inOrderOfId(models: readonly InProcessModel[]): readonly InProcessModel[] {
  const sorted = models.toSorted((a, b) => (a.identity.id < b.identity.id ? -1 : 1))
  for (const [index, { identity }] of sorted.entries()) {
    if (identity.id === sorted[index - 1]?.identity.id) {
      throw new TypeError(`two models have the id "${identity.id}": give each its own`)
    }
  }
  return sorted
}
