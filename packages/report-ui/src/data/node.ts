import { createReportClient, type ReportClient, ReportError } from '@crunch/coordinator-node/client'
import { signal } from '@preact/signals'
import type { Page } from './read-pages.ts'
import { keptText } from './storage.ts'

const kept = keptText('sessionStorage', 'crunch-key')

/** The viewer's key of the API; it is forgotten when the tab closes. */
export const accessKey = signal(kept.read() ?? '')

export function setKey(key: string): void {
  kept.write(key)
  accessKey.value = key
}

/** A fetch that sends the viewer's key. */
export const fetchWithKey: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers)
  if (accessKey.peek() !== '') headers.set('X-API-Key', accessKey.peek())
  return fetch(input, { ...init, headers })
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
  if (error instanceof TypeError && error.cause === undefined) return { text: 'The node does not answer.' }
  return { text: error instanceof Error ? error.message : String(error) }
}
