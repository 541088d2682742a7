import type { Prediction } from '../../domain/prediction.ts'

/** Who asks. Everything that not all may see is decided by it. */
export type Viewer =
  | { readonly role: 'public' }
  | { readonly role: 'read' }
  | { readonly role: 'participant'; readonly cruncherId: string }
  /** `loopback`: a program on this machine, on a node without keys. */
  | { readonly role: 'admin'; readonly by: 'key' | 'loopback' }

export const anyone: Viewer = { role: 'public' }

/** Variables of a request, which the access middleware sets. */
export interface RequestVariables {
  /** In the answer's X-Request-Id, and in every line that the node logs about the request. */
  requestId: string
  viewer: Viewer
  /** By whom limits count the request: the name of its key, or the network that it comes from; `null` for probes. */
  counted: string | null
}

/** When answers become public: once the node knows the round's truth, or at once. */
export type Reveal = 'with truth' | 'at once'

/**
 * Whether an answer may be shown. Before the truth is known, only its owner and keys of the organizer see it: others could copy
 * it. A program on this machine does not, since models may reach the API as well.
 */
export function maySeeAnswer(
  viewer: Viewer,
  prediction: Pick<Prediction, 'status'> & { readonly cruncherId: string | null },
  reveal: Reveal,
): boolean {
  if (reveal === 'at once' || prediction.status !== 'PENDING') return true
  return (viewer.role === 'admin' && viewer.by === 'key') || owns(viewer, prediction)
}

/** Whether errors, failures and logs of a model may be shown: to its owner and the organizer, and never to the public. */
export function maySeeDiagnostics(viewer: Viewer, model: { readonly cruncherId: string | null }): boolean {
  return viewer.role === 'admin' || owns(viewer, model)
}

function owns(viewer: Viewer, { cruncherId }: { readonly cruncherId: string | null }): boolean {
  return viewer.role === 'participant' && viewer.cruncherId === cruncherId
}
