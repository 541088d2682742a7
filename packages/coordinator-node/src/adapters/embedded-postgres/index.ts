export { EmbeddedPostgresError } from './embedded-postgres-error.ts'
export {
  type EmbeddedPostgres,
  embeddedPostgresStatus,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from './start-embedded-postgres.ts'
