export { Momentum } from 'crunch-template-challenge'
