import { readWithoutMigrating } from '../../adapters/store/postgres/schema/read-without-migrating.ts'
import type { Finding } from '../../contract/finding.ts'
import { contractFindings, type NodeContract } from './compare-contract.ts'
import { readStoredContract } from './enter-era.ts'

export type ContractComparison =
  | { readonly kind: 'compared'; readonly findings: readonly Finding[] }
  /** The database has no contract to compare with. */
  | { readonly kind: 'new' }
  /** The database must be migrated before it can be compared. */
  | { readonly kind: 'older' }

/** Compares a contract with the one of a database, as the start of a node does. Writes nothing. */
export async function compareStoredContract(url: string, own: NodeContract): Promise<ContractComparison> {
  const read = await readWithoutMigrating(url, readStoredContract)
  if (read.kind !== 'read') return read
  return { kind: 'compared', findings: contractFindings(own, read.result) }
}
