export { checkEmbeddedPostgres } from './check-embedded-postgres.ts'
export { EmbeddedPostgresError } from './embedded-postgres-error.ts'
export {
  type EmbeddedPostgres,
  embeddedPostgresStatus,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from './start-embedded-postgres.ts'
