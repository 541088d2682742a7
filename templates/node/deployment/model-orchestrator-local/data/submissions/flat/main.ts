export { Flat } from 'crunch-template-challenge'
