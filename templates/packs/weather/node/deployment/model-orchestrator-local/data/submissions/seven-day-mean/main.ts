export { SevenDayMean } from 'crunch-template-challenge'
