/** What the pump (pump.ts) is given, and what its owner holds of it while it runs. Types only. */
import type { Role, Session, Sink } from '../wire/effect.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Connection, SecureOptions } from './net.ts'

export interface PumpOptions<Q, A, E> {
  readonly connection: Connection
  readonly clock: Clock
  readonly role: Role<Q, A>
  /** Makes the session. On implicit TLS the facts are in `connection.tls` by now. */
  readonly session: (sink: Sink<Q, A>) => Session<A, E>
  /** What `secure` uses; asked at that moment, so that a renewed certificate counts. */
  readonly identity?: () => SecureOptions
  /** The connection under DEFLATE, for a session that may ask for it; opened by the pump. */
  readonly compress?: (connection: Connection) => Connection
  /** Takes the connection that the session hands over; resolves when it is gone. Never rejects. */
  readonly handOver?: (connection: Connection) => Promise<void>
  /** Called once, last, with the fault that ended the connection if there was one. Not after a hand-over. */
  readonly onClosed?: (error?: Error) => void
  /** Told when the connection is gone, handed over or not: for an owner of thousands, who would wait for as many promises. */
  readonly owner?: { gone(): void }
  /** Input or output that may wait before reading stops. Default 65536. */
  readonly backlogMaxOctets?: number
  /** How long a reader may take less than `stallOctets` of what is sent to it. Default 5 minutes. */
  readonly stallMs?: number
  /** Default 1: it must take something. */
  readonly stallOctets?: number
  /** How long the peer may take to close after we have. Default 10 seconds. */
  readonly lingerMs?: number
  readonly log: Log
}

/** A running pump, for its owner. */
export interface Pumping<E> {
  /** Passes an event to the session; ignored once the connection is closing. */
  tell(event: E): void
  /** Closes once what was sent has left; an answer still owed is lost: for grace, `tell`. */
  close(): void
  /** All is said and sent: nothing but the peer's own end is waited for. */
  readonly parting: boolean
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<void>
}
