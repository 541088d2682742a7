import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { processIdentity } from './process-identity.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crunch-identity-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

// Windows has neither `ps` nor shell scripts.
it.skipIf(process.platform === 'win32')('is the same for a process in every language and time zone', () => {
  // A `ps` whose output depends on language and time zone, like that of macOS.
  writeFileSync(join(folder, 'ps'), '#!/bin/sh\necho "$LC_ALL $TZ"\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`)
  vi.stubEnv('LC_ALL', 'fr_FR.UTF-8')
  vi.stubEnv('TZ', 'Asia/Tokyo')
  vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
  expect(processIdentity(process.pid)).toBe(`${process.pid}@C UTC`)
})
