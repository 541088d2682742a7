import type { AnswerOf } from '@crunch/coordinator-node/client'
import { node } from './node.ts'
import { useResource } from './resource.ts'

// Data that several parts of the page share.

export const useCompetition = () => useResource('info', (signal) => node.get('/info', { signal }))

/** What the contract says. It changes with a new start of the node, and the period of pay with time. */
export const useRules = () =>
  useResource('rules', (signal) => node.get('/reports/competition', { signal }), {
    topics: ['checkpoints'],
    everyMs: 60_000,
  })

export const useHealth = () =>
  useResource('health', (signal) => node.get('/healthz', { signal }), { topics: ['feeds', 'models'], everyMs: 15_000 })

export const useFeeds = () =>
  useResource('feeds', (signal) => node.get('/reports/feeds', { signal }), { topics: ['feeds'], everyMs: 60_000 })

export const useModels = () =>
  useResource('models', (signal) => node.get('/reports/models', { signal }), { topics: ['models'] })

export type BoardRow = AnswerOf<'get', '/reports/leaderboard'>[number]

export const useBoard = () =>
  useResource('board', (signal) => node.get('/reports/leaderboard', { signal }), {
    topics: ['leaderboard'],
    apply: (event) => event as BoardRow[],
  })

export type Activity = AnswerOf<'get', '/reports/models/activity'>[number]

/** What each model answered during the last day. */
export const useActivity = () =>
  useResource('activity', (signal) => node.get('/reports/models/activity', { signal }), {
    topics: ['models'],
    everyMs: 30_000,
  })
