/** The HTTP face on loopback: /metrics for Prometheus, /health and /ready for whoever watches. */
import type { Series } from '../record/exposition.ts'
import type { Metrics } from '../record/metrics.ts'
import { type Answered, type Answering, jsonAnswer } from '../world/http.ts'

export interface Watched {
  readonly metrics: Metrics
  /** How the process is. */
  readonly vitals: () => Iterable<Series>
  /** Why we are not ready to take mail; undefined where we are. */
  readonly notReady: () => Promise<string | undefined>
  /** What we cannot do for now though we take mail; undefined where all is well. */
  readonly degraded: () => Promise<string | undefined>
}

export function watchFace({ metrics, notReady, degraded, vitals }: Watched): Answering {
  const pages: Readonly<Record<string, () => Answered | Promise<Answered>>> = {
    '/metrics': () => ({ status: 200, type: metrics.contentType, body: metrics.text(vitals()) }),
    // Alive is who answers at all.
    '/health': () => jsonAnswer({ status: 'ok' }),
    '/ready': async () => {
      const reason = await notReady()
      if (reason !== undefined) return jsonAnswer({ ready: false, reason }, 503)
      const lame = await degraded()
      return jsonAnswer(lame === undefined ? { ready: true } : { ready: true, degraded: lame })
    },
  }
  return async ({ method, path }) => {
    if (method !== 'GET' && method !== 'HEAD') return undefined
    return Object.hasOwn(pages, path) ? pages[path]?.() : undefined
  }
}
