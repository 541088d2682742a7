import { createReportClient, type ReportClient, ReportError } from '@crunch/coordinator-node/client'
import { signal } from '@preact/signals'
import type { Page } from './read-pages.ts'
import { keptText } from './storage.ts'

const kept = keptText('sessionStorage', 'crunch-key')

/** The viewer's key of the API; it is forgotten when the tab closes. */
export const accessKey = signal(kept.read() ?? '')

/** Whether the node has refused the key that was kept. */
export const isKeyRefused = signal(false)

export function setKey(key: string): void {
  kept.write(key)
  isKeyRefused.value = false
  accessKey.value = key
}

/** A fetch that sends the viewer's key. A key that has ended is forgotten: the node counts wrong keys, and then refuses good ones too. */
export const fetchWithKey: typeof fetch = async (input, init) => {
  const headers = new Headers(init?.headers)
  const key = accessKey.peek()
  if (key !== '') headers.set('X-API-Key', key)
  const response = await fetch(input, { ...init, headers })
  if (response.status === 401 && key !== '' && key === accessKey.peek()) {
    setKey('')
    isKeyRefused.value = true
  }
  return response
}

/** The node that serves this page. */
export const node: ReportClient = createReportClient('', { fetch: fetchWithKey })

/** A page of a list with its header `Link`, which says where the next one begins. */
export async function readLinked<Row>(read: (client: ReportClient) => Promise<readonly Row[]>): Promise<Page<Row>> {
  let link: string | null = null
  const client = createReportClient('', {
    fetch: async (...request) => {
      const response = await fetchWithKey(...request)
      link = response.headers.get('link')
      return response
    },
  })
  return { rows: await read(client), link }
}

/** Why the node does not take a key; `null`: it does. */
export async function whyRefused(key: string): Promise<string | null> {
  if (!/^[\x21-\x7e]+$/.test(key)) return 'A key has no blanks and no letters other than A to Z.'
  return createReportClient('', { headers: { 'X-API-Key': key } })
    .get('/info')
    .then(
      () => null,
      (error: unknown) => failureOf(error).text,
    )
}

/** Why a request failed, for a reader. */
export interface Failure {
  readonly text: string
  /** The HTTP status; absent: no answer arrived. */
  readonly status?: number
  readonly requestId?: string
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ReportError) {
    const { message, status, requestId } = error
    return { text: message.replace(/^\d+: /, ''), status, ...(requestId === undefined ? {} : { requestId }) }
  }
  if (isUnreachable(error)) return { text: 'The node does not answer.' }
  return { text: error instanceof Error ? error.message : String(error) }
}

/** Browsers report a request without an answer as a TypeError, as they do a fault of the page: their texts differ. */
function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError && /fetch|network|load failed/i.test(error.message)
}
