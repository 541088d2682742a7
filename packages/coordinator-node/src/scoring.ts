export { averageRanks, correlation, rankCorrelation } from './domain/rank-correlation.ts'
