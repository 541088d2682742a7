export { Trend } from 'crunch-template-challenge'
