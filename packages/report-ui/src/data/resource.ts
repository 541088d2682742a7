import { batch, type ReadonlySignal, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { createLoader } from './loader.ts'
import { accessKey, type Failure, failureOf } from './node.ts'
import { onEvent, type Topic } from './stream.ts'

/** Data of the node that a panel shows, and how it stands with them. */
export interface Resource<Data> {
  /** The newest known; undefined before the first answer. It stays while a later request fails. */
  readonly data: ReadonlySignal<Data | undefined>
  /** Of the last request; null after a success. */
  readonly failure: ReadonlySignal<Failure | null>
  /** When the data were read, in ms of this machine. */
  readonly readAt: ReadonlySignal<number | null>
  readonly reload: () => void
}

export interface ResourceOptions<Data> {
  /** Events after which the data are read again, or, with `apply`, replaced. */
  readonly topics?: readonly Topic[]
  /** The data after an event; undefined: read them again. */
  readonly apply?: (data: unknown, topic: Topic, current: Data) => Data | undefined
  /** For data of which no event tells, in ms. */
  readonly everyMs?: number
}

interface Kept<Data> extends Resource<Data> {
  users: number
  start(): void
  stop(): void
}

const resources = new Map<string, Kept<unknown>>()
/** Going back to a page shows at once what it showed. */
const keptCount = 40

/**
 * Reads data while a component is mounted: at once, after the events, when the key changes, and again by itself after a failure.
 * Components with the same name share one resource, so the name must contain every parameter of the request.
 */
export function useResource<Data>(
  name: string,
  read: (signal: AbortSignal) => Promise<Data>,
  options: ResourceOptions<Data> = {},
): Resource<Data> {
  const resource = (resources.get(name) as Kept<Data> | undefined) ?? createResource(read, options)
  resources.delete(name)
  resources.set(name, resource as Kept<unknown>)
  useEffect(() => {
    forgetOldest()
    if (resource.users++ === 0) resource.start()
    return () => {
      if (--resource.users === 0) resource.stop()
    }
  }, [resource])
  return resource
}

function forgetOldest(): void {
  for (const [name, { users }] of resources) {
    if (resources.size <= keptCount) return
    if (users === 0) resources.delete(name)
  }
}

function createResource<Data>(
  read: (signal: AbortSignal) => Promise<Data>,
  { topics = [], apply, everyMs }: ResourceOptions<Data>,
): Kept<Data> {
  const data = signal<Data | undefined>(undefined)
  const failure = signal<Failure | null>(null)
  const readAt = signal<number | null>(null)
  let stopListening: (() => void)[] = []

  function show(next: Data): void {
    batch(() => {
      data.value = next
      failure.value = null
      readAt.value = Date.now()
    })
  }

  const loader = createLoader({
    ...{ read, everyMs, onData: show },
    onError: (error) => {
      failure.value = failureOf(error)
      // Only another key helps; a wrong one, asked with again and again, shuts its address out.
      return failure.value.status === 401 || failure.value.status === 403 ? 'final' : undefined
    },
  })

  function hear(topic: Topic, event: unknown): void {
    if (topic !== 'reset' && !topics.includes(topic)) return
    const current = data.peek()
    const next = topic === 'reset' || current === undefined ? undefined : apply?.(event, topic, current)
    if (next === undefined) loader.load()
    else {
      show(next)
      // An answer on its way can be older than the event.
      loader.skip()
    }
  }

  function start(): void {
    let key = accessKey.peek()
    const watchKey = accessKey.subscribe((value) => {
      if (value === key) return
      key = value
      // What the old key showed is not for the new viewer.
      data.value = undefined
      loader.cancel()
      loader.load()
    })
    stopListening = [watchKey, onEvent(hear)]
    loader.load()
  }

  function stop(): void {
    for (const end of stopListening) end()
    stopListening = []
    loader.cancel()
  }

  return { data, failure, readAt, reload: loader.load, users: 0, start, stop }
}
