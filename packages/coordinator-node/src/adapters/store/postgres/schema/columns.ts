import { bigint, customType, integer, timestamp } from 'drizzle-orm/pg-core'

/** Text compared by code point regardless of the database's locale, so that order and keys are the same everywhere. */
export const text = customType<{ data: string }>({ dataType: () => 'text collate "C"' })

export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })
export const era = () => integer('era').notNull().default(1)
export const count = (name: string) => bigint(name, { mode: 'number' })
