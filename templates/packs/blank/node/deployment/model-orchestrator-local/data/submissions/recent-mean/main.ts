export { RecentMean } from 'crunch-template-challenge'
