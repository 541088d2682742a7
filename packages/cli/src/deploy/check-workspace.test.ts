import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findWorkspace } from '../workspace.ts'
import { checkWorkspace, formatFinding } from './check-workspace.ts'

const template = findWorkspace(fileURLToPath(new URL('../../../../templates/node', import.meta.url)))

describe('a workspace whose source has no live stream in this version', () => {
  it('is right, and told to replay only', async () => {
    const { findings, notes } = await checkWorkspace(template, {}, { ports: false, purpose: 'look' })
    expect(findings).toEqual([])
    expect(notes).toEqual(['It can only replay: there is no live source "binance"; this version has none yet.'])
  })

  it('cannot be deployed live', async () => {
    const { findings } = await checkWorkspace(template, {}, { ports: false, purpose: 'live' })
    expect(findings.map(formatFinding).join()).toMatch(/contract\.ts .*no live source "binance".*\n.*--replay FILE/)
  })

  it('can replay', async () => {
    const { findings, notes } = await checkWorkspace(template, {}, { ports: false, purpose: 'replay' })
    expect([...findings, ...notes]).toEqual([])
  })
})

describe('a database server of the settings', () => {
  it('that is not there is found, with its password left out', async () => {
    const environment = { DATABASE_URL: 'postgres://crunch:secret@127.0.0.1:1/crunch' }
    const { findings } = await checkWorkspace(template, environment, { ports: false, purpose: 'look' })
    const text = findings.map(formatFinding).join()
    expect(text).toContain('the database postgres://crunch:***@127.0.0.1:1/crunch cannot be used')
    expect(text).not.toContain('secret')
  })
})
