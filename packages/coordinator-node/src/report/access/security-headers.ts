import type { MiddlewareHandler } from 'hono'

const headers: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'cross-origin',
}
/** Data is not a page: a browser that opens it runs nothing and shows it in no frame. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'"
/** A page states its own policy; what it leaves out is this. */
const pagePolicy = "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"

/** Headers of every answer. What is answered to a key is for that client only. */
export const addSecurityHeaders: MiddlewareHandler = async (context, next) => {
  await next()
  const answer = context.res.headers
  for (const [name, value] of Object.entries(headers)) answer.set(name, value)
  if (!answer.has('content-security-policy')) {
    const isPage = answer.get('content-type')?.startsWith('text/html') === true
    answer.set('content-security-policy', isPage ? pagePolicy : dataPolicy)
  }
  const viewer = context.get('viewer')
  if (viewer === undefined || viewer.role === 'public') return
  if (answer.get('cache-control') !== 'no-store') answer.set('cache-control', 'private, no-cache')
  answer.append('vary', 'Authorization, X-API-Key')
}
