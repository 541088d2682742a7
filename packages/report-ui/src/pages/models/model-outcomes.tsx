export function ModelOutcomes(_: { readonly id: string; readonly activity: unknown }) {
  return null
}
