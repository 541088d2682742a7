export { MeanReversion } from 'crunch-template-challenge'
