/**
 * Gives memory back once a thread has come to rest, in two ways. The room of the young generation goes back by
 * a collection of that alone: a third of a millisecond, 7 MB, nothing else is lost. And V8 keeps the pages that a burst has filled, and Node what
 * it has read of its cache of compiled modules: behind a start that is some 20 MB, behind thousands of
 * connections as much again. The collection for those also drops what V8 has optimized, which a server that carries mail
 * would have to make anew for its next thousands of messages (1.4 to 1.9 times their time): so it is for threads
 * that have done little yet. Called by server/start.ts for the main thread; the committer gives its young room back alone.
 */
import { flushCompileCache } from 'node:module'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const LOOK_MS = 500
/** At rest is who used less of one core than this since the last look. */
const REST_SHARE = 0.02
/** A collection takes its time by what is alive; a heap like this is left to V8. */
const HEAP_MAX_OCTETS = 128 * 1024 * 1024
/** The next one comes after so many times what the last one took, and where the process has grown by so much. */
const PAUSE_FACTOR = 50
const GROWTH_OCTETS = 8 * 1024 * 1024

/** As little as V8 itself begins with. */
const YOUNG_KEPT_OCTETS = 2 * 1024 * 1024

/** So many messages, and the code is worth keeping. */
export const MUCH_WORK = 100

/** What was compiled is in V8's own heap by now; the room is taken by what comes next. */
export function forgetCompiled(): void {
  flushCompileCache()
}

/** The young generation of a thread. */
export interface YoungGauges {
  /** CPU that this thread has used so far, in ms. */
  readonly cpuMs: () => number
  readonly youngOctets: () => number
  readonly collectYoung: () => void
}

/** What is read of this thread and its process, and the collection itself. */
export interface Gauges {
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
 * A look, to be taken every `lookMs`: V8 gives the room back where little was made of late, which takes a look or two.
 */
export function spareYoungWith(
  { cpuMs, youngOctets, collectYoung }: YoungGauges,
  lookMs: number,
): () => void {
  let used = cpuMs()
  return () => {
    const before = used
    used = cpuMs()
    if (used - before >= lookMs * REST_SHARE || youngOctets() <= YOUNG_KEPT_OCTETS) return
    collectYoung()
    used = cpuMs()
  }
}

/**
 * From now on this thread gives back what it does not need whenever it has come to rest; until `worked` says
 * that so much was done that its compiled code is worth more, all of it. The result ends that before.
 */
export function spareAtRest(worked: () => boolean): () => void {
  const look = spareWith(
    {
      cpuMs: cpuOfThread,
      nowMs: () => performance.now(),
      residentOctets: () => process.memoryUsage.rss(),
      heapOctets: () => process.memoryUsage().heapUsed,
      // The only kind that gives pages back at once.
      collect: () => collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
    },
    LOOK_MS,
  )
  const lookYoung = youngLook()
  return everyLook(() => (worked() ? lookYoung() : look()))
}

/** The same for a thread that is at work for as long as the server is: its young generation alone. */
export function spareYoungAtRest(): void {
  everyLook(youngLook())
}

function youngLook(): () => void {
  const gauges = {
    cpuMs: cpuOfThread,
    youngOctets: () =>
      getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ??
      0,
    collectYoung: () => collector()({ type: 'minor' }),
  }
  return spareYoungWith(gauges, LOOK_MS)
}

function everyLook(look: () => void): () => void {
  const timer = setInterval(() => {
    try {
      look()
    } catch {
      // How much is resident is read from a file: without a free descriptor nobody looks (EMFILE).
    }
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

function cpuOfThread(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

let known: NodeJS.GCFunction | undefined

/**
 * V8's own. The flag stands for no longer than this takes: given to the process it would cost each thread all
 * that Node has compiled of itself beforehand (optimize.ts).
 */
function collector(): NodeJS.GCFunction {
  if (known !== undefined) return known
  setFlagsFromString('--expose-gc')
  known = runInNewContext('gc') as NodeJS.GCFunction
  setFlagsFromString('--no-expose-gc')
  return known
}
