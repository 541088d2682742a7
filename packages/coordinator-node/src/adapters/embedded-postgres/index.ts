export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-postgres-error.ts'
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  type EmbeddedPostgresStatus,
  embeddedPostgresStatus,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from './start-embedded-postgres.ts'
