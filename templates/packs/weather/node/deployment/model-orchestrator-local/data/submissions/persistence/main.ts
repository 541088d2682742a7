export { Persistence } from 'crunch-template-challenge'
