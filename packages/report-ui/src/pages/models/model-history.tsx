export function ModelHistory(_: { readonly id: string; readonly name: string }) {
  return null
}
