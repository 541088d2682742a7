import { connect } from 'node:net'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { reportUnderTest } from './report-app.testkit.ts'
import { type ReportServer, type ReportServerOptions, startReportServer } from './start-report-server.ts'

const started: ReportServer[] = []

async function serve(app: ReportServerOptions['app'], port = 0): Promise<ReportServer> {
  const server = await startReportServer({ app, port })
  started.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()))
})

describe('startReportServer', () => {
  it('serves the API on this machine only', async () => {
    const server = await serve(reportUnderTest().app)
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    const response = await fetch(`${server.url}/info`)
    expect(await response.json()).toMatchObject({ crunch_id: 'next-move' })
  })

  it('names a port in use and the fix', async () => {
    const { app } = reportUnderTest()
    const { port } = await serve(app)
    await expect(startReportServer({ app, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${port} on 127.0.0.1 is taken. Stop the program that uses it, or set REPORT_API_PORT to another port.`,
    })
    await expect(startReportServer({ app, port, portSetting: 'REPORT_UI_PORT' })).rejects.toThrow(
      'or set REPORT_UI_PORT to another port.',
    )
  })

  it('names a host that is not an address of this machine', async () => {
    const { app } = reportUnderTest()
    await expect(startReportServer({ app, port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    })
  })

  it('lets a running request finish when it closes, and accepts no more', async () => {
    let release: () => void = () => undefined
    const arrived = new Promise<void>((resolve) => {
      release = resolve
    })
    let answer: (text: string) => void = () => undefined
    const app = new Hono().get('/slow', async (context) => {
      release()
      return context.text(
        await new Promise<string>((resolve) => {
          answer = resolve
        }),
      )
    })
    const server = await serve(app)
    const running = fetch(`${server.url}/slow`)
    await arrived
    const closed = server.close()
    await expect(fetch(server.url)).rejects.toThrow()
    answer('done')
    expect(await (await running).text()).toBe('done')
    await closed
    await server.close()
  })

  it('closes at once despite an idle connection', async () => {
    const server = await serve(reportUnderTest().app)
    const socket = connect(server.port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    await (await fetch(`${server.url}/info`)).text()
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await server.close()
    await ended
  })

  it('aborts a request that does not end', async () => {
    let arrive: () => void = () => undefined
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const app = new Hono().get('/hang', () => {
      arrive()
      return new Promise<Response>(() => undefined)
    })
    const server = await startReportServer({ app, port: 0, drainTimeoutMs: 20 })
    const cut = expect(fetch(`${server.url}/hang`)).rejects.toThrow()
    await arrived
    await server.close()
    await cut
  })
})
