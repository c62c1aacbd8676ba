/** A pump over a scripted session and a connection that a test plays: for the pump's own tests. */
import type { Role, Session, Sink, TlsFacts } from '../wire/effect.ts'
import { type Output, octetsIn } from '../wire/output.ts'
import { silent } from './log.ts'
import type { Connection, ConnectionEvents, SecureOptions } from './net.ts'
import { type Pumping, type PumpOptions, pump } from './pump.ts'
import { createWorld } from './sim/index.ts'

type Answer = string
type Told = string

/** A connection that a test plays: what was written, paused and closed is there to be looked at. */
export class Scripted implements Connection {
  readonly remote = { address: '192.0.2.1', port: 1 }
  readonly local = { address: '192.0.2.2', port: 25 }
  readonly calls: string[] = []
  readonly writes: string[] = []
  /** To be called once what was lent has left. */
  readonly lefts: (() => void)[] = []
  events!: ConnectionEvents
  takes = true
  tlsResult: Promise<TlsFacts> = Promise.resolve({
    protocol: 'TLSv1.3',
    cipher: 'X',
    verified: false,
  })

  open(events: ConnectionEvents): void {
    this.events = events
  }
  release(): void {
    this.calls.push('release')
  }
  write(output: Output | readonly Output[], left?: () => void): boolean {
    this.writes.push(Buffer.from(octetsIn(output)).toString())
    if (left) this.lefts.push(left)
    return this.takes
  }
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  secure(_options: SecureOptions): Promise<TlsFacts> {
    this.calls.push('secure')
    return this.tlsResult
  }
  end(): void {
    this.calls.push('end')
  }
  destroy(): void {
    this.calls.push('destroy')
    queueMicrotask(() => this.events.closed())
  }
}

interface Play {
  readonly connection: Scripted
  readonly inputs: string[]
  readonly logged: string[]
  readonly sink: Sink<string, Answer>
  readonly running: Pumping<Told>
  readonly advance: (ms: number) => Promise<void>
  readonly state: { patienceMs: number; step: number; backlogOctets: number }
  say(text: string): void
}

export type Script = (sink: Sink<string, Answer>, input: string, text: string) => void

/** Starts a pump over a session that notes its inputs and does what the script says. */
export function play(
  script: Script,
  role: Partial<Role<string, Answer>> = {},
  more: Partial<PumpOptions<string, Answer, Told>> = {},
): Play {
  const connection = new Scripted()
  const inputs: string[] = []
  const logged: string[] = []
  const state = { patienceMs: 0, step: 0, backlogOctets: 0 }
  const internet = createWorld({ seed: 1 })
  const { world } = internet.host({ name: 'a.test', addresses: ['192.0.2.2'] })
  const note = (event: string) => {
    logged.push(event)
  }
  let sinkOfSession!: Sink<string, Answer>
  const running = pump<string, Answer, Told>({
    connection,
    clock: world.clock,
    log: { ...silent, warn: note, error: note },
    role: { ask: () => 'yes', failed: () => 'later', ...role },
    session: sink => {
      sinkOfSession = sink
      const input = (name: string, text = '') => {
        inputs.push(text === '' ? name : `${name} ${text}`)
        script(sink, name, text)
      }
      const session: Session<Answer, Told> = {
        start: () => input('start'),
        receive: octets => input('receive', Buffer.from(octets).toString()),
        answer: answer => input('answer', answer),
        secured: tls => input('secured', tls.protocol),
        drained: () => input('drained'),
        tell: event => input('tell', event),
        expire: () => input('expire'),
        end: () => input('end'),
        get patienceMs() {
          return state.patienceMs
        },
        get step() {
          return state.step
        },
        get backlogOctets() {
          return state.backlogOctets
        },
      }
      return session
    },
    ...more,
  })
  const say = (text: string) => connection.events.received(Buffer.from(text))
  const advance = (ms: number) => internet.advance(ms)
  return { connection, inputs, logged, sink: sinkOfSession, running, advance, state, say }
}
