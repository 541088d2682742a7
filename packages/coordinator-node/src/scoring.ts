export { averageRanks, correlation, rankCorrelation } from './domain/statistics/rank-correlation.ts'
