export function ModelPayouts(_: { readonly id: string }) {
  return null
}
