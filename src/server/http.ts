/**
 * The HTTP face on loopback: /metrics for Prometheus, /health and /ready for whoever watches. It has no
 * login, so that a web page is kept from it whose own name was made to lead here (DNS rebinding).
 */
import { Hono } from 'hono'
import type { Series } from '../record/exposition.ts'
import type { Metrics } from '../record/metrics.ts'
import { parseIp } from '../wire/network.ts'

export interface Watched {
  readonly metrics: Metrics
  /** How the process is. */
  readonly vitals: () => Iterable<Series>
  /** Why we are not ready to take mail; undefined where we are. */
  readonly notReady: () => Promise<string | undefined>
  /** What we cannot do for now though we take mail; undefined where all is well. */
  readonly degraded: () => Promise<string | undefined>
  /** Whether a request may name this host; undefined where it named none (HTTP/1.0). */
  readonly answersTo: (host: string) => boolean
}

/**
 * Whether a name in Host can be meant for a listener of this machine: an address, a name of one label, which
 * nobody can buy, or one of our own.
 */
export function isOwnHost(host: string, hostname: string): boolean {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  const literal = /^\[(.*)\]$/.exec(name)?.[1] ?? name
  if (!name.includes('.') || parseIp(literal) !== undefined) return true
  return name.endsWith('.localhost') || name === hostname.toLowerCase()
}

export function httpApp({ metrics, notReady, degraded, vitals, answersTo }: Watched): Hono {
  const app = new Hono()
  // 421, Misdirected Request: it was not meant for us.
  app.use(async (c, next) => {
    const host = c.req.header('host')
    if (host !== undefined && !answersTo(host)) return c.text('no such host here', 421)
    return next()
  })
  app.get('/metrics', c => {
    c.header('content-type', metrics.contentType)
    return c.body(metrics.text(vitals()))
  })
  // Alive is who answers at all.
  app.get('/health', c => c.json({ status: 'ok' }))
  app.get('/ready', async c => {
    const reason = await notReady()
    if (reason !== undefined) return c.json({ ready: false, reason }, 503)
    const lame = await degraded()
    return c.json(lame === undefined ? { ready: true } : { ready: true, degraded: lame })
  })
  return app
}
