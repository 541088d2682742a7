import { takesPart } from '../../domain/models/model.ts'
import type { Prediction } from '../../domain/prediction.ts'
import type { Round } from '../../domain/round.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { RoundStore } from '../../ports/store-rounds.ts'
import { absentPrediction } from './judge-answer.ts'
import type { ModelRegistry } from './model-registry.ts'

/** Answers the rounds that a crash left without answers: every model is absent, and the node is to blame. */
export async function answerAbandonedRounds(
  ports: {
    readonly store: Pick<RoundStore, 'unansweredRounds' | 'recordAnswers'>
    readonly clock: Clock
    readonly log: Log
  },
  registry: Pick<ModelRegistry, 'models'>,
): Promise<void> {
  for (const round of await ports.store.unansweredRounds()) {
    await ports.store.recordAnswers(round.id, ports.clock.now(), restartedPredictions(round, registry))
    ports.log.warn('a restart left a round without answers', { stage: 'prediction', roundId: round.id })
  }
}

function restartedPredictions(round: Round, registry: Pick<ModelRegistry, 'models'>): Prediction[] {
  return registry
    .models()
    .filter((model) => takesPart(model, round.performedAt))
    .map((model) =>
      absentPrediction(
        round,
        model.id,
        'coordinator_restarted',
        'coordinator',
        'the coordinator restarted before it had stored the answers of this round',
      ),
    )
}
