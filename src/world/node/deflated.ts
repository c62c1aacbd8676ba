/**
 * A connection under raw DEFLATE in both directions (RFC 4978), over any other. What is written is compressed at
 * once, each write as blocks of their own that may refer to the 8 KB before them, so that nothing waits for more
 * and an idle session keeps no more than those. What comes is inflated piece by piece, as fast as it is taken;
 * who sends a bomb loses the connection.
 */
import { constants, createInflateRaw, deflateRawSync } from 'node:zlib'
import type { Endpoint, TlsFacts } from '../../wire/effect.ts'
import { type Output, octetsIn } from '../../wire/output.ts'
import type { Connection, ConnectionEvents } from '../net.ts'

const WINDOW_BITS = 13
const WINDOW_OCTETS = 1 << WINDOW_BITS
/** A smaller state is made sooner: a line costs a tenth of a ms, against a third with zlib's own. */
const MEMORY_LEVEL = 5
/** So much may come of so little: text gives ten times its size, and only what is made for it gives hundreds. */
const FREE_OCTETS = 16 * 1_048_576
const RATIO_MAX = 200

export class DeflatedConnection implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly #inner: Connection
  readonly #inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
  #events: ConnectionEvents | undefined
  /** The last octets written: what the peer's window holds. */
  #history: Buffer = Buffer.alloc(0)
  #paused = false
  #fault: Error | undefined
  #deflatedOctets = 0
  #inflatedOctets = 0

  constructor(inner: Connection) {
    this.#inner = inner
    this.remote = inner.remote
    this.local = inner.local
  }

  get tls(): TlsFacts | undefined {
    return this.#inner.tls
  }

  open(events: ConnectionEvents): void {
    this.#events = events
    const inflate = this.#inflate
    inflate.on('data', (octets: Buffer) => this.#inflated(octets))
    inflate.on('end', () => this.#events?.ended())
    inflate.on('error', error => this.#failed(error))
    inflate.on('drain', () => {
      if (!this.#paused) this.#inner.resume()
    })
    if (this.#paused) inflate.pause()
    this.#inner.open({
      received: octets => {
        this.#deflatedOctets += octets.length
        // They are lent, and inflated later.
        if (!inflate.write(Buffer.from(octets))) this.#inner.pause()
      },
      ended: () => inflate.end(),
      drained: () => this.#events?.drained(),
      closed: error => {
        inflate.destroy()
        const told = this.#events
        this.#events = undefined
        told?.closed(this.#fault ?? error)
      },
    })
  }

  release(): void {
    throw new Error('a compressed connection is not handed over')
  }

  write(output: Output | readonly Output[], left?: () => void): boolean {
    const octets = octetsIn(output)
    const deflated = deflateRawSync(octets, {
      finishFlush: constants.Z_SYNC_FLUSH,
      windowBits: WINDOW_BITS,
      memLevel: MEMORY_LEVEL,
      ...(this.#history.length > 0 && { dictionary: this.#history }),
    })
    this.#history = Buffer.concat([this.#history, octets.subarray(-WINDOW_OCTETS)])
    if (this.#history.length > WINDOW_OCTETS) {
      this.#history = Buffer.from(this.#history.subarray(-WINDOW_OCTETS))
    }
    left?.()
    return this.#inner.write(deflated)
  }

  pause(): void {
    this.#paused = true
    this.#inflate.pause()
    this.#inner.pause()
  }

  resume(): void {
    this.#paused = false
    this.#inflate.resume()
    if (!this.#inflate.writableNeedDrain) this.#inner.resume()
  }

  secure(): Promise<TlsFacts> {
    return Promise.reject(new Error('TLS does not begin under compression'))
  }

  end(): void {
    this.#inner.end()
  }

  destroy(): void {
    this.#inner.destroy()
  }

  #inflated(octets: Buffer): void {
    this.#inflatedOctets += octets.length
    if (this.#inflatedOctets > FREE_OCTETS + RATIO_MAX * this.#deflatedOctets) {
      this.#failed(new Error('what came was a compression bomb'))
    } else this.#events?.received(octets)
  }

  #failed(error: Error): void {
    this.#fault ??= error
    this.#inner.destroy()
  }
}
