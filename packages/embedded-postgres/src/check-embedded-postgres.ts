import { resolve } from 'node:path'
import { dataMajorVersion, dataPathOf } from './data-folder.ts'
import { findBinaries } from './find-binaries.ts'
import { chooseServerAccount } from './server-account.ts'

/**
 * Checks that PostgreSQL can run for `directory`, without starting it. With `anyVersion`, the version of existing data does
 * not matter, because they will be removed first.
 * @throws EmbeddedPostgresError if PostgreSQL is missing, or the version that created the data is.
 */
export async function checkEmbeddedPostgres(
  directory: string,
  options: { readonly anyVersion: boolean },
): Promise<void> {
  const path = resolve(directory)
  const account = await chooseServerAccount(dataPathOf(path))
  const major = options.anyVersion ? undefined : await dataMajorVersion(path)
  await findBinaries(account, major, () => undefined)
}
