export { Coin } from 'crunch-template-challenge'
