import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemErrorCode, wait } from '@crunch/local-processes'
import type { Terminal } from './terminal.ts'

/** A program that fails does so at once; one that stays shows the page itself. */
const watchMs = 2_000

/** Opens an address in the browser of the user; resolves with the reason if there is none. No shell reads the address. */
export async function openBrowser(
  url: string,
  { env, signal }: Pick<Terminal, 'env' | 'signal'>,
  platform: NodeJS.Platform = process.platform,
): Promise<string | null> {
  const { command, args } = browserCommand(platform)
  if (command === 'xdg-open' && env.DISPLAY === undefined && env.WAYLAND_DISPLAY === undefined) {
    return 'this terminal has no graphical session (DISPLAY and WAYLAND_DISPLAY are not set)'
  }
  const opener = spawn(command, [...args, url], { detached: true, stdio: 'ignore', env: { ...env } })
  opener.unref()
  const ended = once(opener, 'exit').then(
    ([code, ended]) => (code === 0 ? null : `${command} failed (${code ?? ended})`),
    (error: unknown) => `${command} cannot be started (${systemErrorCode(error) ?? String(error)})`,
  )
  const ending = new AbortController()
  const watched = wait(watchMs, AbortSignal.any([signal, ending.signal])).then(() => null)
  return Promise.race([ended, watched]).finally(() => ending.abort())
}

function browserCommand(platform: NodeJS.Platform): { readonly command: string; readonly args: readonly string[] } {
  if (platform === 'darwin') return { command: 'open', args: [] }
  // `start` exists only in a shell, for which & and % in an address are code.
  if (platform === 'win32') return { command: 'rundll32', args: ['url.dll,FileProtocolHandler'] }
  return { command: 'xdg-open', args: [] }
}
