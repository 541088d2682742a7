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
 * Calls in-process objects as models, for simulations and tests, and converts arguments and results as gRPC would.
 *
 * A synchronous method cannot be interrupted: its answer always counts, so that a simulation's result does not depend on
 * the speed of the machine. Asynchronous methods are timed. Throws when two models have the same id.
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
    // The models of a simulation are fixed while it runs.
    retirementOf: () => null,
    onModel(listener) {
      for (const { identity } of open) listener(identity)
      return () => {}
    },
    // In-process models belong to the author, so failure reports have no recipient.
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
