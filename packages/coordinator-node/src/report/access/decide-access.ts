import type { Tier } from './tiers.ts'
import type { Viewer } from './viewer.ts'

export interface AccessQuestion {
  readonly tier: Tier
  readonly isWrite: boolean
  readonly viewer: Viewer
  /** Whether the node has any valid key. */
  readonly hasKeys: boolean
  /** Whether reads that are not public need a key (`API_READ_AUTH`). */
  readonly readsNeedKey: boolean
  /** Why the request is not taken for the operator's; `null` if it is. */
  readonly whyNotLocal: string | null
}

export interface Refusal {
  readonly status: 401 | 403
  readonly text: string
}

/** Whether a request may reach its route; `null`: it may. */
export function decideAccess(question: AccessQuestion): Refusal | null {
  const { tier, isWrite, viewer, hasKeys, readsNeedKey, whyNotLocal } = question
  if (viewer.role === 'admin') return null
  if (isWrite) return hasKeys ? needs('admin', viewer) : keylessWrite(whyNotLocal)
  if (tier === 'public') return null
  if (tier === 'owner') return viewer.role === 'participant' ? null : needs('participant', viewer)
  if (tier === 'read' || !hasKeys) return readsNeedKey && viewer.role === 'public' ? needs('read', viewer) : null
  return needs('admin', viewer)
}

function keylessWrite(whyNotLocal: string | null): Refusal {
  const reason = whyNotLocal ?? 'it does not come from this machine'
  const fix = 'Create a key with crunch keys create NAME --scope admin, and send it as Authorization: Bearer KEY.'
  return {
    status: 403,
    text: `Without a key, only programs on this machine may make changes. This request was refused: ${reason}. ${fix}`,
  }
}

const keyNames = {
  admin: 'a key with the scope admin',
  participant: 'the key of a participant, or one with the scope admin',
  read: 'a key',
}

/** The refusal of a viewer without the wanted key. */
export function needs(wanted: keyof typeof keyNames, viewer: Viewer): Refusal {
  const how = 'Send it as Authorization: Bearer KEY or X-API-Key: KEY.'
  if (viewer.role === 'public') return { status: 401, text: `This needs ${keyNames[wanted]}. ${how}` }
  return { status: 403, text: `This needs ${keyNames[wanted]}; the key that was sent has another scope.` }
}
