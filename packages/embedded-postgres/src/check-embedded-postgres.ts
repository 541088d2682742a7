import { resolve } from 'node:path'
import { dataMajorVersion, dataPathOf } from './data-folder.ts'
import { findBinaries } from './find-binaries.ts'
import { chooseServerAccount } from './server-account.ts'

/**
 * Checks that a PostgreSQL can run for `directory`; starts nothing. With `anyVersion`, the version of existing data does not
 * matter, because they will be removed first.
 * @throws EmbeddedPostgresError when there is none, or none of the version that made the data.
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
