/**
 * Gives memory back once a thread has come to rest. V8 keeps the pages that a burst has filled and Node what
 * it has read of its cache of compiled modules: behind a start that is some 20 MB, behind thousands of
 * connections as much again. That collection also drops what V8 has optimized, which a server that carries mail
 * would have to make anew for its next thousands of messages (1.4 to 1.9 times their time): so it is for those
 * that have done little yet. Called by server/start.ts for the main thread; in the
 * committer's it cost more than it gave.
 */
import { flushCompileCache } from 'node:module'

const LOOK_MS = 500
/** At rest is who used less of one core than this since the last look. */
const REST_SHARE = 0.02
/** A collection takes its time by what is alive; a heap like this is left to V8. */
const HEAP_MAX_OCTETS = 128 * 1024 * 1024
/** The next one comes after so many times what the last one took, and where the process has grown by so much. */
const PAUSE_FACTOR = 50
const GROWTH_OCTETS = 8 * 1024 * 1024

/** So many messages, and the code is worth keeping. */
export const MUCH_WORK = 100

/** What was compiled is in V8's own heap by now; the room is taken by what comes next. */
export function forgetCompiled(): void {
  flushCompileCache()
}

/** What is read of this thread and its process, and the collection itself. */
export interface Gauges {
  /** CPU that this thread has used so far, in ms. */
  readonly cpuMs: () => number
  readonly nowMs: () => number
  readonly residentOctets: () => number
  readonly heapOctets: () => number
  readonly collect: () => void
}

/** A look, to be taken every `lookMs`: collects where the thread has come to rest and the process has grown. */
export function spareWith(
  { cpuMs, nowMs, residentOctets, heapOctets, collect }: Gauges,
  lookMs: number,
): () => void {
  let rested = false
  let notBefore = 0
  let resident = 0
  let used = cpuMs()
  return () => {
    const before = used
    used = cpuMs()
    const atRest = used - before < lookMs * REST_SHARE
    if (!atRest) rested = false
    if (!atRest || rested || nowMs() < notBefore) return
    rested = true
    if (residentOctets() - resident < GROWTH_OCTETS || heapOctets() > HEAP_MAX_OCTETS) return
    collect()
    notBefore = nowMs() + PAUSE_FACTOR * (cpuMs() - used)
    resident = residentOctets()
    used = cpuMs()
  }
}

/**
 * From now on this thread collects its garbage whenever it has come to rest, until `worked` says that so much
 * was done that its compiled code is worth more; the result ends that before.
 */
export function spareAtRest(worked: () => boolean): () => void {
  const { gc } = globalThis
  // bin/postrider exposes it; elsewhere nothing is spared.
  if (gc === undefined) return () => undefined
  const gauges: Gauges = {
    cpuMs: () => {
      const { user, system } = process.threadCpuUsage()
      return (user + system) / 1000
    },
    nowMs: () => performance.now(),
    residentOctets: () => process.memoryUsage.rss(),
    heapOctets: () => process.memoryUsage().heapUsed,
    // The only kind that gives pages back at once.
    collect: () => {
      gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    },
  }
  const look = spareWith(gauges, LOOK_MS)
  const timer = setInterval(() => {
    try {
      if (worked()) clearInterval(timer)
      else look()
    } catch {
      // How much is resident is read from a file: without a free descriptor nobody looks (EMFILE).
    }
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
