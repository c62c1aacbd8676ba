/** The HTTP face on loopback: /metrics for Prometheus, /health and /ready for whoever watches. */
import { Hono } from 'hono'
import type { Series } from '../record/exposition.ts'
import type { Metrics } from '../record/metrics.ts'

export interface Watched {
  readonly metrics: Metrics
  /** How the process is. */
  readonly vitals: () => Iterable<Series>
  /** Why we are not ready to take mail; undefined where we are. */
  readonly notReady: () => Promise<string | undefined>
  /** What we cannot do for now though we take mail; undefined where all is well. */
  readonly degraded: () => Promise<string | undefined>
}

export function httpApp({ metrics, notReady, degraded, vitals }: Watched): Hono {
  const app = new Hono()
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
