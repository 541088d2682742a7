/** Who asks. Everything that not all may see is decided by it. */
export type Viewer =
  | { readonly role: 'public' }
  | { readonly role: 'participant'; readonly cruncherId: string }
  | { readonly role: 'admin' }

export const anyone: Viewer = { role: 'public' }

/** Variables of a request, which middleware sets. */
export interface RequestVariables {
  requestId: string
  /** Absent without a key: `anyone`. */
  viewer?: Viewer
}
