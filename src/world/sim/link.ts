/**
 * One simulated connection: two ends and the segments that travel between them. Octets arrive in
 * order, late, and cut where chance wills; a peer that is gone answers with a reset or with silence.
 * TLS is a mark on the stream: both ends must call `secure`, and plaintext in between breaks it.
 */
import type { Endpoint, TlsFacts } from '../../wire/effect.ts'
import { type Output, octetsIn } from '../../wire/output.ts'
import type { Connection, ConnectionEvents, SecureOptions } from '../net.ts'
import type { Life } from './timeline.ts'
import { agree, type Hello, helloOctets, helloOf } from './tls.ts'

/** How much an end takes before `write` says that it is enough. */
const WINDOW_OCTETS = 65536
const HANDSHAKE_MS = 30_000

export type Item =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' }

/** What an end needs of the internet it is part of. */
export interface Medium {
  /** Carries an item to the other end, in order, after some time. */
  carry(from: LinkEnd, item: Item): void
  /** Runs something soon on the host of an end. */
  soon(end: LinkEnd, label: string, run: () => void): void
  after(end: LinkEnd, delayMs: number, run: () => void): () => void
  /** An item came to an end that is gone. */
  stray(end: LinkEnd): void
}

export class LinkEnd implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly host: string
  readonly life: Life
  readonly side: 'client' | 'server'
  tls?: TlsFacts
  /** Set by the maker of the pair. */
  peer!: LinkEnd
  closed = false
  /** Octets sent so far; and when the last of them arrives. For the medium's use. */
  sentOctets = 0
  lastArrival = 0
  readonly #medium: Medium
  #events: ConnectionEvents | undefined
  #inbox: Item[] = []
  #paused = false
  #ended = false
  #peerEnded = false
  #unread = 0
  #wantsDrain = false
  #handshake: { settle(hello: Hello | undefined): void } | undefined

  constructor(
    medium: Medium,
    facts: {
      readonly host: string
      readonly life: Life
      readonly side: 'client' | 'server'
      readonly local: Endpoint
      readonly remote: Endpoint
    },
  ) {
    this.#medium = medium
    this.host = facts.host
    this.life = facts.life
    this.side = facts.side
    this.local = facts.local
    this.remote = facts.remote
  }

  open(events: ConnectionEvents): void {
    this.#events = events
    if (this.closed) this.#medium.soon(this, 'closed', () => events.closed())
    else this.#deliverSoon()
  }

  release(unread: Uint8Array): void {
    this.#events = undefined
    if (unread.length === 0) return
    this.peer.#unread += unread.length
    this.#inbox.unshift({ kind: 'octets', octets: unread })
  }

  write(output: Output | readonly Output[], left?: () => void): boolean {
    if (this.closed || this.#ended || !this.life.alive) return true
    const octets = Buffer.from(octetsIn(output))
    left?.()
    if (octets.length === 0) return true
    this.#unread += octets.length
    this.#medium.carry(this, { kind: 'octets', octets })
    this.#wantsDrain = this.#unread >= WINDOW_OCTETS
    return !this.#wantsDrain
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#deliverSoon()
  }

  end(): void {
    if (this.closed || this.#ended || !this.life.alive) return
    this.#ended = true
    this.#medium.carry(this, { kind: 'end' })
    if (this.#peerEnded) this.#close()
  }

  destroy(): void {
    if (this.closed || !this.life.alive) return
    const unread = this.#inbox.some(item => item.kind === 'octets')
    // As a kernel does: a reset if there was input nobody read, else an end; later input is stray.
    if (unread || !this.#ended) this.#medium.carry(this, { kind: unread ? 'reset' : 'end' })
    this.#close()
  }

  secure(options: SecureOptions): Promise<TlsFacts> {
    return new Promise((resolve, reject) => {
      const fail = (code: string) => {
        const error = Object.assign(new Error(`TLS handshake failed: ${code}`), { code })
        this.#handshake = undefined
        this.destroy()
        reject(error)
      }
      const cancel = this.#medium.after(this, HANDSHAKE_MS, () => fail('ETIMEDOUT'))
      const settle = (hello: Hello | undefined) => {
        cancel()
        const facts = hello ? agree(options, hello) : 'EPROTO'
        if (typeof facts === 'string') return fail(facts)
        this.#handshake = undefined
        this.tls = facts
        resolve(facts)
        this.#deliverSoon()
      }
      this.#handshake = { settle }
      this.#medium.carry(this, { kind: 'hello', hello: helloOf(options) })
      this.#medium.soon(this, 'handshake', () => this.#deliver())
    })
  }

  /** An item has come over the wire. */
  arrive(item: Item): void {
    if (this.closed || !this.life.alive) {
      if (item.kind === 'octets' || item.kind === 'hello') this.#medium.stray(this)
      return
    }
    if (item.kind === 'reset') {
      // What was received and not yet read is lost with it.
      this.#inbox = []
      this.#handshake?.settle(undefined)
      this.#close(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
      return
    }
    this.#inbox.push(item)
    this.#deliver()
  }

  /** The host of this end has crashed: it says and does nothing any more. */
  vanish(): void {
    this.closed = true
    this.#events = undefined
    this.#inbox = []
  }

  #deliverSoon(): void {
    this.#medium.soon(this, 'deliver', () => this.#deliver())
  }

  #deliver(): void {
    while (!this.closed && this.#inbox.length > 0) {
      const first = this.#inbox[0] as Item
      if (this.#handshake) {
        this.#inbox.shift()
        this.#handshake.settle(first.kind === 'hello' ? first.hello : undefined)
        return
      }
      if (!this.#events || this.#paused) return
      this.#inbox.shift()
      if (first.kind === 'octets') {
        this.peer.#wasRead(first.octets.length)
        this.#events.received(first.octets)
      } else if (first.kind === 'hello') {
        this.#events.received(helloOctets())
      } else {
        this.#peerEnded = true
        this.#events.ended()
        if (this.#ended) this.#close()
      }
    }
  }

  #wasRead(octets: number): void {
    this.#unread -= octets
    if (!this.#wantsDrain || this.#unread > 0) return
    this.#wantsDrain = false
    this.#medium.soon(this, 'drained', () => {
      if (!this.closed) this.#events?.drained()
    })
  }

  #close(error?: Error): void {
    if (this.closed) return
    this.closed = true
    this.#medium.soon(this, 'closed', () => this.#events?.closed(error))
    const handshake = this.#handshake
    this.#handshake = undefined
    handshake?.settle(undefined)
  }
}
