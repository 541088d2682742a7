import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { fromHere, reportUnderTest } from '../report-app.testkit.ts'
import type { CustomApps } from './custom-apps.ts'

function custom(): CustomApps {
  const app = new Hono<{ Variables: { answer: number } }>()
  app.get('/hello', (context) => context.json({ answer: context.get('answer') }))
  app.post('/hello', (context) => context.json({}))
  app.get('/broken', () => {
    throw new Error('secret')
  })
  app.get('/../info', (context) => context.text('shadow'))
  return { apps: [app as unknown as Hono], variables: { answer: 42 } }
}

describe('the routes of the organizer', () => {
  it('are served under /custom with their variables, and shadow no core route', async () => {
    const { get, errors } = reportUnderTest({ custom: custom() })
    expect(await get('/custom/hello')).toMatchObject({ status: 200, body: { answer: 42 } })
    expect((await get('/info')).body).toMatchObject({ crunch_id: 'next-move' })
    const { status, body } = await get<unknown>('/custom/broken')
    expect([status, JSON.stringify(body).includes('secret')]).toEqual([500, false])
    expect(errors).toMatchObject([{ message: 'request failed', fields: { error: 'secret' } }])
    expect((await get('/custom/nothing')).status).toBe(404)
    expect((await reportUnderTest().get('/custom/hello')).status).toBe(404)
  })

  it('belong to the organizer, unless a prefix opens their reads', async () => {
    const access = { legacyKey: 'secret' }
    const closed = reportUnderTest({ custom: custom(), access })
    expect((await closed.get('/custom/hello')).status).toBe(401)
    const others = reportUnderTest({ custom: custom(), access: { ...access, adminPrefixes: ['/reports/checkpoints'] } })
    expect((await others.get('/custom/hello')).status).toBe(401)
    const open = reportUnderTest({ custom: custom(), access: { ...access, publicPrefixes: ['/custom'] } })
    expect((await open.get('/custom/hello')).status).toBe(200)
    const write = await open.app.request('/custom/hello', { ...fromHere.init, method: 'POST' }, fromHere.env)
    expect(write.status).toBe(401)
  })
})
