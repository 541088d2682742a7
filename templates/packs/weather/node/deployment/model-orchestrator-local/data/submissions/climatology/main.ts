export { Climatology } from 'crunch-template-challenge'
