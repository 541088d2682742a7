import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { competitionFacts } from './competition-schema.ts'

/** What a participant enters in a workspace of the competition. */
const commands = [
  { purpose: 'Run one round against a model.', command: 'npx crunch models test ./my-model' },
  { purpose: 'Score it on recorded data.', command: 'npx crunch backtest --model ./my-model' },
  { purpose: 'Add it to the competition of this workspace.', command: 'npx crunch models add ./my-model' },
]

export const competition = defineRoute({
  method: 'get',
  path: '/reports/competition',
  tag: 'Competition',
  summary: 'The rules of the competition, generated from its contract: what is asked, scored, ranked and paid.',
  tier: 'public',
  answer: competitionFacts
    .extend({
      pay_period: z
        .object({ start: zonedTimeSchema, end: zonedTimeSchema })
        .meta({ description: 'The period of checkpoints in which the competition is now.' }),
      take_part: z
        .array(z.object({ purpose: z.string(), command: z.string() }))
        .meta({ description: 'In a workspace of the competition.' }),
    })
    .meta({ id: 'Competition' }),
  example: { path: '/reports/competition' },
})

export const serveCompetition = serveRoute(competition, ({ contract, clock, info }) => async () => {
  const facts = contract.competition
  const everyMs = facts.pay.every * 1_000
  const start = Math.floor((await clock.refresh()) / everyMs) * everyMs
  return {
    ...facts,
    // An era begins after all data of its predecessor, so its first period is shorter.
    pay_period: { start: zonedTime(Math.max(start, info.era.beganAt)), end: zonedTime(start + everyMs) },
    take_part: commands,
  }
})
