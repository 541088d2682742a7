import { ReportError } from '@crunch/coordinator-node/client'
import { fetchWithKey } from './node.ts'

/** Saves an answer of the node as a file; a link could not send the viewer's key. Rejects with what the node says. */
export async function saveFile(path: string, name: string): Promise<void> {
  const response = await fetchWithKey(path)
  if (!response.ok) throw new ReportError(response.status, await response.json().catch(() => undefined))
  const address = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser reads the file after the click.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
