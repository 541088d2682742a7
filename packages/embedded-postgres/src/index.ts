export { checkEmbeddedPostgres } from './check-embedded-postgres.ts'
export { EmbeddedPostgresError } from './embedded-postgres-error.ts'
export {
  type EmbeddedPostgres,
  embeddedPostgresStatus,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from './start-embedded-postgres.ts'
