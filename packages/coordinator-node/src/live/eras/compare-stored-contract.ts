import { readWithoutMigrating } from '../../adapters/store/postgres/schema/read-without-migrating.ts'
import type { Finding } from '../../contract/finding.ts'
import { contractFindings, type NodeContract } from './compare-contract.ts'
import { readStoredContract } from './enter-era.ts'

export type ContractComparison =
  | { readonly kind: 'compared'; readonly findings: readonly Finding[] }
  /** The database holds nothing to compare with. */
  | { readonly kind: 'new' }
  /** The database is to be migrated before it can be read. */
  | { readonly kind: 'older' }

/** Compares a contract with the one that a database was used with, as a start of the node would. Writes nothing. */
export async function compareStoredContract(url: string, own: NodeContract): Promise<ContractComparison> {
  const read = await readWithoutMigrating(url, readStoredContract)
  if (read.kind !== 'read') return read
  return { kind: 'compared', findings: contractFindings(own, read.result) }
}
