import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const sourceOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** `npm run dev` shows the page beside a node that runs at NODE_URL. */
const node = process.env.NODE_URL ?? 'http://127.0.0.1:8000'
const apiPaths = [
  '/reports',
  '/healthz',
  '/readyz',
  '/info',
  '/timing-metrics',
  '/metrics',
  '/docs',
  '/openapi.json',
  '/data',
]

export default defineConfig({
  // The engine contains the build of this page, so the page cannot depend on the build of the engine: it takes the client's source.
  resolve: { alias: { '@crunch/coordinator-node/client': sourceOf('../coordinator-node/src/client.ts') } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The host stays as the browser names it: the node refuses changes from a page of another origin.
  server: { proxy: Object.fromEntries(apiPaths.map((path) => [path, { target: node, changeOrigin: false }])) },
  build: {
    target: 'es2022',
    // Every file is named by its content, and is kept by browsers for good.
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
