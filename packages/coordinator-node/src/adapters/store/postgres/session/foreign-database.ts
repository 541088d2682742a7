import type postgres from 'postgres'
import { CrunchError } from '../../../../domain/errors.ts'
import { maskUrl } from './address.ts'

/** Tables that show which program a database belongs to. */
const marks: Readonly<Record<string, string>> = {
  django_migrations: 'a Django application',
  merkle_nodes: 'the Python engine',
  alembic_version: 'the Python engine, or another program that uses Alembic',
  _prisma_migrations: 'a program that uses Prisma',
  flyway_schema_history: 'a program that uses Flyway',
  schema_migrations: 'a Rails application, or another program with the same migration table',
  __drizzle_migrations: 'another program that uses Drizzle, or an incompatible version of this one',
}

const shownCount = 6

/**
 * The tables and views of a database ordered by name, except those of PostgreSQL and its extensions, and except the list of
 * migrations, which exists before the first migration.
 */
export async function foreignRelations(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select n.nspname || '.' || c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and (n.nspname, c.relname) <> ('drizzle', '__drizzle_migrations')
      and not exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by 1`
  return rows.map(({ name }) => name)
}

/** The error for a database with tables that this engine did not create. */
export function foreignDatabase(url: string, relations: readonly string[]): CrunchError {
  const tables = new Set(relations.map((name) => name.slice(name.indexOf('.') + 1)))
  const owner = Object.entries(marks).find(([mark]) => tables.has(mark))?.[1] ?? 'another program'
  const more = relations.length - shownCount
  const shown = `${relations.slice(0, shownCount).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  const fix = 'create an empty database for this node (create database NAME) and set DATABASE_URL to it'
  const message = `the database ${maskUrl(url)} belongs to ${owner}: it holds ${shown}. Nothing was written. A node needs its own database: ${fix}`
  return new CrunchError('STORE_UNSUITABLE', message)
}
