/** The sample contract as a contract file. */
export { sampleContract as default } from './sample-definition.ts'
