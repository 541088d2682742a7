import type { ModelRunner } from '../../ports/model-runner.ts'

/**
 * The models of several runners, all of different ids, as those of one; `close` closes them all.
 * Name those behind a wire first: their calls are on their way while models of this process are at work.
 */
export function combineRunners(runners: readonly ModelRunner[]): ModelRunner {
  return {
    models: () => runners.flatMap((runner) => runner.models()).sort((a, b) => (a.id < b.id ? -1 : 1)),
    reachable: () => runners.every((runner) => runner.reachable()),
    // The one that would announce a missing model is not known.
    excuseOf: (modelId) => runners.map((runner) => runner.excuseOf(modelId)).find((excuse) => excuse !== null) ?? null,
    async dispatch(calls, timeoutMs, except) {
      const answers = await Promise.all(runners.map((runner) => runner.dispatch(calls, timeoutMs, except)))
      return answers.flat()
    },
    // Only a model that none of them knows is gone.
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
