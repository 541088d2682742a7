/**
 * Statistics for scoring functions and back-tests. Pure functions of lists of numbers.
 *
 * @packageDocumentation
 */

export { averageRanks, correlation, rankCorrelation } from './domain/statistics/rank-correlation.ts'
