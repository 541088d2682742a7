import { AsyncResource } from 'node:async_hooks'

/**
 * Makes `AsyncResource.bind` of this process as light as it is in Node 25.
 *
 * Every request over HTTP/2 binds a function. In Node 20 such a function has a deprecated property `asyncResource`, whose two
 * accessors get a prototype each, and V8 keeps what hangs on a prototype until a full garbage collection: all of the request,
 * 6 KB. A fan-out twice a second then fills the old generation, and each full collection makes a round wait.
 * Sources: github.com/nodejs/node, pull requests 59518 (22.20: no prototypes) and 58618 (25: no property).
 */
export function lightenBind(): void {
  if ('asyncResource' in bindNothing()) AsyncResource.prototype.bind = lightBind as AsyncResource['bind']
}

function bindNothing(): object {
  return new AsyncResource('LightBind').bind(() => {})
}

const nodeBind = AsyncResource.prototype.bind as unknown as (fn: unknown) => Bound
type Bound = (this: unknown, ...args: unknown[]) => unknown

/** Node's own, without the property. */
function lightBind(this: AsyncResource, fn: Bound, thisArg?: unknown): Bound {
  // Node refuses it in its own words.
  if (typeof fn !== 'function') return nodeBind.call(this, fn)
  const resource = this
  const bound: Bound =
    thisArg === undefined
      ? function (...args) {
          return resource.runInAsyncScope(fn, this, ...args)
        }
      : (...args) => resource.runInAsyncScope(fn, thisArg, ...args)
  return Object.defineProperty(bound, 'length', { value: fn.length, configurable: true })
}
