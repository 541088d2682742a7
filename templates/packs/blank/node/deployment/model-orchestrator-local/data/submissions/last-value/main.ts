export { LastValue } from 'crunch-template-challenge'
