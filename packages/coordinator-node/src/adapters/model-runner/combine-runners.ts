import type { ModelRunner } from '../../ports/model-runner.ts'

/**
 * Presents several runners, whose model ids must differ, as one; `close` closes all of them.
 * List remote runners first, so that their calls are sent before in-process models block this process.
 */
export function combineRunners(runners: readonly ModelRunner[]): ModelRunner {
  return {
    models: () => runners.flatMap((runner) => runner.models()).sort((a, b) => (a.id < b.id ? -1 : 1)),
    reachable: () => runners.every((runner) => runner.reachable()),
    // It is unknown which runner would announce a missing model.
    excuseOf: (modelId) => runners.map((runner) => runner.excuseOf(modelId)).find((excuse) => excuse !== null) ?? null,
    async dispatch(calls, timeoutMs, except) {
      const answers = await Promise.all(runners.map((runner) => runner.dispatch(calls, timeoutMs, except)))
      return answers.flat()
    },
    // A model is gone only if no runner knows it.
    retirementOf(modelId) {
      const reasons = runners.map((runner) => runner.retirementOf(modelId))
      return reasons.every((reason) => reason !== null) ? (reasons[0] ?? null) : null
    },
    onModel(listener) {
      const endings = runners.map((runner) => runner.onModel(listener))
      return () => {
        for (const end of endings) end()
      }
    },
    judge(judgements) {
      for (const runner of runners) runner.judge(judgements)
    },
    async close() {
      await Promise.all(runners.map((runner) => runner.close()))
    },
  }
}
