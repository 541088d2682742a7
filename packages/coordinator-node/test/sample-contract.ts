import { type ResolvedContract, resolveContract } from '../src/contract/resolved-contract.ts'
import { type ContractChanges, changedContract } from './sample-definition.ts'

export * from './sample-definition.ts'

export function resolvedContract(changes: ContractChanges = {}): ResolvedContract {
  return resolveContract(changedContract(changes))
}
