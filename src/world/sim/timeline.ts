/**
 * Virtual time: what is to happen, in the order (time, sequence). Between two events everything that
 * the first one set off runs to its end, so one seed gives one run. Time stands still while real
 * asynchronous work (crypto in the pool of threads, say) is announced as pending.
 */
import { turn } from '../node/clock.ts'

/** One run of a host from start to crash: nothing of it happens after its end. */
export interface Life {
  alive: boolean
}

interface Happening {
  readonly at: number
  readonly sequence: number
  /** Timers wait for time itself; traffic is work in progress, which `settle` awaits. */
  readonly kind: 'traffic' | 'timer'
  readonly life: Life | undefined
  readonly label: string
  readonly run: () => void
  cancelled: boolean
}

export class Timeline {
  /** Virtual ms since the epoch. */
  now: number
  readonly #heap: Happening[] = []
  readonly #trace: ((line: string) => void) | undefined
  readonly #isPending: () => boolean
  #sequence = 0
  #traffic = 0
  #held = 0

  constructor(
    startMs: number,
    isPending: () => boolean = () => false,
    trace?: (line: string) => void,
  ) {
    this.now = startMs
    this.#isPending = isPending
    this.#trace = trace
  }

  /** Plans `run`; returns what cancels it. */
  plan(
    kind: 'traffic' | 'timer',
    delayMs: number,
    life: Life | undefined,
    label: string,
    run: () => void,
  ): () => void {
    const at = this.now + (delayMs > 0 ? delayMs : 0)
    const sequence = this.#sequence++
    const happening: Happening = { at, sequence, kind, life, label, run, cancelled: false }
    push(this.#heap, happening)
    if (kind === 'traffic') this.#traffic += 1
    return () => {
      happening.cancelled = true
    }
  }

  /** Time stands still until this real work is done. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held += 1
    try {
      return await work
    } finally {
      this.#held -= 1
    }
  }

  /** Lets everything run that can run without time passing. */
  async rest(): Promise<void> {
    do await turn()
    while (this.#held > 0 || this.#isPending())
  }

  get hasTraffic(): boolean {
    return this.#traffic > 0
  }

  /** Runs the next event if it is due by `untilMs`; false if there is none. `rest` goes before. */
  async step(untilMs: number): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0]
      if (!next || next.at > untilMs) return false
      pop(this.#heap)
      if (next.kind === 'traffic') this.#traffic -= 1
      if (next.cancelled || next.life?.alive === false) continue
      this.now = Math.max(this.now, next.at)
      this.#trace?.(`${this.now} ${next.label}`)
      next.run()
      await this.rest()
      return true
    }
  }
}

function before(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}

function push(heap: Happening[], item: Happening): void {
  let i = heap.length
  heap.push(item)
  while (i > 0) {
    const parent = (i - 1) >> 1
    const above = heap[parent] as Happening
    if (!before(item, above)) break
    heap[i] = above
    i = parent
  }
  heap[i] = item
}

function pop(heap: Happening[]): void {
  const last = heap.pop() as Happening
  if (heap.length === 0) return
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    const right = heap[child + 1]
    if (right && before(right, heap[child] as Happening)) child += 1
    if (!before(heap[child] as Happening, last)) break
    heap[i] = heap[child] as Happening
    i = child
  }
  heap[i] = last
}
