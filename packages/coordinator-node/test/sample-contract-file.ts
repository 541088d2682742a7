/** The sample contract as an author's file. */
export { sampleContract as default } from './sample-contract.ts'
