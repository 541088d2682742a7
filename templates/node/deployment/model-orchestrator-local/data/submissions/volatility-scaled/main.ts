export { VolatilityScaled } from 'crunch-template-challenge'
