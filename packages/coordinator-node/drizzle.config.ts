import { defineConfig } from 'drizzle-kit'

// `npx drizzle-kit generate --name what-changed` writes the next migration. Migrations go forward only: never edit a released one.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/adapters/store/postgres/schema/schema.ts',
  out: './migrations',
})
