export { Overconfident } from 'crunch-template-challenge'
