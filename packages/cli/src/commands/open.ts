import { CliError, ReportedFailure } from '../cli-error.ts'
import { parseJson } from '../parse-json.ts'
import { fetchLimited, refusalOf } from '../report-api/get-json.ts'
import { openReportClient } from '../report-api/open-report-client.ts'
import { openBrowser } from '../terminal/open-browser.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

const texts = {
  who: 'the report worker, which serves the page,',
  fix: 'see whether it runs with: crunch status, and start it with: crunch deploy',
}

/** Opens the page of a running node in a browser, or prints its address. A machine without a browser gets the address and a failure. */
export async function openPage(options: { readonly print: boolean }, terminal: Terminal): Promise<void> {
  const client = await openReportClient(findWorkspace(terminal.cwd), terminal)
  const { href } = new URL('/', client.url)
  const answer = await fetchLimited(href, texts)
  if (answer.headers.get('content-type')?.startsWith('text/html') !== true) {
    const cause = `it shows no page: ${refusalOf({ status: answer.status, body: parseJson(await answer.text()) })}`
    throw new CliError({ place: href, cause, fix: 'set REPORT_API_PORT to the port of the node, or update the engine' })
  }
  terminal.out(options.print ? href : `The page: ${href}`)
  if (options.print) return
  const failure = await openBrowser(href, terminal)
  if (failure === null) return
  terminal.err(`No browser was opened: ${failure}. Open the address above in a browser.`)
  throw new ReportedFailure(failure)
}
