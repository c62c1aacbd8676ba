/**
 * Writes down what a town does, for people: the lines that cross the wire and the states that the
 * ledgers go through, in the order in which they happen. Content is counted, not repeated; ids,
 * nonces and dates, which a seed makes, become names. Reads segments that were not cut.
 */
import type { Segment } from '../../src/world/sim/index.ts'

type Mode =
  | { readonly kind: 'lines' }
  | { readonly kind: 'dot'; lines: number }
  | { readonly kind: 'count'; octets: number; readonly all: number }

interface Way {
  mode: Mode
  rest: string
  /** Lines of an answer of many lines so far: what EHLO offers. */
  readonly offers: string[]
}

/** Ports whose answers to a client may be content of many lines. */
const POP_PORTS: readonly number[] = [110, 995]

export class Tracer {
  readonly entries: { readonly at: number; readonly text: string }[] = []
  enabled = false
  readonly #now: () => number
  readonly #ways = new Map<string, Way>()
  readonly #ids = new Map<string, string>()
  #from = 0

  constructor(now: () => number) {
    this.#now = now
  }

  start(): void {
    this.enabled = true
    this.#from = this.#now()
  }

  segment(segment: Segment): void {
    if (!this.enabled) return
    const { from, to, port, fromClient } = segment
    const key = `${from} ${to} ${port} ${fromClient}`
    if (segment.before === 0) this.#ways.delete(key)
    const way = this.#ways.get(key) ?? { mode: { kind: 'lines' }, rest: '', offers: [] }
    this.#ways.set(key, way)
    way.rest += Buffer.from(segment.octets).toString('latin1')
    const server = fromClient ? `${to}:${port}` : `${from}:${port}`
    const arrow = fromClient ? `${from} -> ${server}` : `${to} <- ${server}`
    this.#read(way, line => this.#say(`${arrow}  ${line}`), segment)
  }

  ledger(host: string, line: string): void {
    if (this.enabled) this.#say(`${host}  ${line}`)
  }

  /** A text with what chance made in it given names. */
  name(text: string): string {
    return text
      .replace(/(?<![0-9a-zA-Z])[0-9a-v]{16}(?![0-9a-zA-Z])/g, id => this.#named(id))
      .replace(/\b\w{3},\s+\d{1,2}\s+\w{3}\s+20\d\d\s+\d\d:\d\d:\d\d\s+\+0000/g, '(date)')
  }

  #named(id: string): string {
    const known = this.#ids.get(id) ?? `message-${this.#ids.size + 1}`
    this.#ids.set(id, known)
    return known
  }

  #read(way: Way, say: (line: string) => void, { port, fromClient }: Segment): void {
    while (way.rest !== '') {
      const { mode } = way
      if (mode.kind === 'count') {
        const taken = Math.min(mode.octets, way.rest.length)
        way.rest = way.rest.slice(taken)
        mode.octets -= taken
        if (mode.octets > 0) return
        say(`(${mode.all} octets of message)`)
        way.mode = { kind: 'lines' }
        continue
      }
      const end = way.rest.indexOf('\r\n')
      if (end < 0) return
      const line = way.rest.slice(0, end)
      way.rest = way.rest.slice(end + 2)
      if (mode.kind === 'dot') {
        mode.lines++
        if (line !== '.') continue
        say(`(a message of ${mode.lines - 1} lines)`)
        say('.')
        way.mode = { kind: 'lines' }
        continue
      }
      const offer = fromClient ? undefined : /^250-(.*)/.exec(line)?.[1]
      if (offer !== undefined) {
        way.offers.push(offer)
        continue
      }
      const offers = way.offers.splice(0)
      if (offers.length > 0) {
        offers.push(line.replace(/^250 /, ''))
        say(`250 ${offers.shift()} (offers ${offers.join(', ')})`)
      } else say(this.#safe(line, fromClient))
      way.mode = this.#after(line, port, fromClient)
    }
  }

  #after(line: string, port: number, fromClient: boolean): Mode {
    const chunk = /^BDAT (\d+)/i.exec(line)
    if (fromClient && chunk) {
      const octets = Number(chunk[1])
      return octets > 0 ? { kind: 'count', octets, all: octets } : { kind: 'lines' }
    }
    if (fromClient && /^DATA$/i.test(line)) return { kind: 'dot', lines: 0 }
    if (!fromClient && POP_PORTS.includes(port) && /^\+OK \d+ octets/i.test(line)) {
      return { kind: 'dot', lines: 0 }
    }
    return { kind: 'lines' }
  }

  /** Nonces and proofs of a login say nothing to a reader. */
  #safe(line: string, fromClient: boolean): string {
    if (fromClient) {
      if (/^AUTH /i.test(line)) return line.replace(/^(AUTH \S+).*$/i, '$1 (initial response)')
      return /^[A-Za-z0-9+/]{24,}={0,2}$/.test(line) ? '(response)' : line
    }
    return line.replace(/^(334 |\+ )[A-Za-z0-9+/=]+$/, '$1(challenge)')
  }

  /** What was written down, line by line. */
  get lines(): readonly string[] {
    return this.entries.map(({ at, text }) => `${this.clock(at)}  ${text}`)
  }

  /** A time since the start, as people read it. */
  clock(at: number): string {
    const ms = Math.max(0, at - this.#from)
    const day = Math.floor(ms / 86_400_000)
    const time = new Date(ms).toISOString().slice(11, 23)
    return `${day > 0 ? `${day}d ` : ''}${time}`
  }

  #say(text: string): void {
    this.entries.push({ at: this.#now(), text: this.name(text) })
  }
}
