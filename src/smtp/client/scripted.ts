/**
 * A client session played against a written dialogue, for tests alone: those beside this file and
 * test/transcript/smtp-client.test.ts, which says how dialogues are written.
 */

import { parseStoredAddress } from '../../mail/address.ts'
import type { Envelope, Recipient, Sender } from '../../mail/envelope.ts'
import type { Forwarded } from '../../mail/forwarded.ts'
import type { Outcome } from '../../mail/outcome.ts'
import { stretchNow } from '../../sasl/scripted.ts'
import type { Sink, Source, TlsFacts, Transform } from '../../wire/effect.ts'
import type { Draft, Keyword } from '../extension/extension.ts'
import { extensions } from '../extension/table.ts'
import type { SessionSettings } from '../server/question.ts'
import type { Carry, ClientAnswer, ClientQuestion, ClientSettings } from './question.ts'
import { ClientSession } from './session.ts'
import { timeouts } from './state.ts'

/** The time of every dialogue. */
const NOW = Date.UTC(2026, 10, 27, 4)

export const settings: ClientSettings = {
  hostname: 'client.test',
  protocol: 'smtp',
  startTls: 'opportunistic',
  plaintextLogin: false,
  without: [],
  timeouts: timeouts(),
  dialogueAlways: false,
  chance: octets => new Uint8Array(octets),
  now: () => NOW,
}

export const tlsFacts: TlsFacts = { protocol: 'TLSv1.3', cipher: 'AES', verified: false }

/** A message from a@one.test to the given recipients. */
export function carry(
  recipients: readonly string[],
  content: Source = Buffer.from('Subject: x\r\n\r\nhello\r\n'),
  sender: Partial<Sender> = {},
  sizeOctets = content instanceof Uint8Array ? content.length : 0,
): Carry {
  const envelope: Envelope = {
    sender: {
      reversePath: parseStoredAddress('a@one.test'),
      body: '7BIT',
      utf8: false,
      ...sender,
    },
    recipients: recipients.map(text => ({ forwardPath: parseStoredAddress(text) })),
  }
  return { kind: 'carry', envelope, sizeOctets, content }
}

/** An outcome in a few words: `delivered 2.0.0`, `deferred 4.4.2 in doubt`, `deferred 4.5.3 too many`. */
export function short(outcome: Outcome): string {
  const words = `${outcome.kind} ${outcome.status}`
  if (outcome.kind !== 'deferred') return words
  return `${words}${outcome.inDoubt ? ' in doubt' : ''}${outcome.tooMany ? ' too many' : ''}`
}

/** One session with a sink that writes everything down in order. */
export class Played implements Sink<ClientQuestion, ClientAnswer> {
  readonly session: ClientSession
  readonly questions: ClientQuestion[] = []
  /** `C: ` lines and `= ` announcements, not yet looked at. */
  log: string[] = []
  /** Of a stream only so many octets are pulled, and its end is not, until `finishStream`. */
  holdAfterOctets: number | undefined
  #held: { readonly transform: Transform; readonly rest: Uint8Array }[] = []
  #partial = ''
  readonly #work: ClientAnswer[]
  readonly #follows: boolean

  /** @param follows each message is given as soon as it may begin behind the one before */
  constructor(overrides: Partial<ClientSettings>, work: readonly ClientAnswer[], follows = false) {
    this.#work = [...work]
    this.#follows = follows
    this.session = new ClientSession({ ...settings, ...overrides }, this)
  }

  send(output: string | Uint8Array): void {
    const lines = (
      this.#partial + (typeof output === 'string' ? output : Buffer.from(output).toString())
    ).split('\r\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) this.log.push(`C: ${line}`)
  }

  stream(source: Source, transform?: Transform): void {
    if (!(source instanceof Uint8Array)) throw new Error('tests stream octets')
    const octets = source.subarray(0, this.holdAfterOctets)
    this.send(transform ? transform.push(octets) : octets)
    if (transform === undefined) return
    if (this.holdAfterOctets === undefined) this.send(transform.end())
    else this.#held.push({ transform, rest: source.subarray(octets.length) })
  }

  finishStream(): void {
    for (const { transform, rest } of this.#held.splice(0)) {
      if (rest.length > 0) this.send(transform.push(rest))
      this.send(transform.end())
    }
  }

  ask(question: ClientQuestion): ClientAnswer | undefined {
    this.questions.push(question)
    // The arithmetic of SCRAM is no word of the dialogue.
    if (question.kind === 'aside' && question.step.kind === 'stretch')
      return { kind: 'aside', answer: stretchNow(question.step) }
    if (question.kind === 'next') return this.#follows ? (this.#work.shift() ?? NOTED) : NOTED
    this.log.push(`= ${describe(question)}`)
    return question.kind === 'ready' ? this.#work.shift() : NOTED
  }

  content(): void {}

  secure(): void {
    this.log.push('= secure')
  }

  compress(): void {}

  handOver(): void {
    this.log.push('= hand over')
  }

  close(): void {
    this.log.push('= close')
  }

  /** Hands over the server's words, whole or octet by octet. */
  hear(text: string, cut: Cut): void {
    const octets = Buffer.from(text)
    if (cut === 'whole') this.session.receive(octets)
    else for (const octet of octets) this.session.receive(Uint8Array.of(octet))
  }

  /** What happens around the dialogue. */
  happen(event: string): void {
    if (event === 'tls') this.session.secured(tlsFacts)
    else if (event === 'lost') this.session.tell({ kind: 'lost', why: 'connection reset' })
    else if (event === 'quit') this.session.tell({ kind: 'quit' })
    else if (event === 'answer quit') this.session.answer({ kind: 'quit' })
    else if (event === 'expire') this.session.expire()
    else if (event === 'end') this.session.end()
    else if (event === 'hold') this.holdAfterOctets = Number.POSITIVE_INFINITY
    else if (event.startsWith('hold ')) this.holdAfterOctets = Number(event.slice(5))
    else if (event === 'finish') this.finishStream()
    else throw new Error(`unknown event ${event}`)
  }
}

const NOTED: ClientAnswer = { kind: 'noted' }

function describe(question: Exclude<ClientQuestion, { kind: 'next' }>): string {
  if (question.kind === 'ready') return 'ready'
  if (question.kind === 'trouble') {
    const { kind, phase, status, again } = question.trouble
    return `trouble ${kind} ${phase} ${status}${again === undefined ? '' : ` ${again}`}`
  }
  if (question.kind === 'errand') {
    return `errand ${question.reply.code}${question.exchanged ? ' exchanged' : ''}`
  }
  if (question.kind === 'probed') {
    return `probed ${[question.mail, ...question.recipients].map(({ code }) => code).join(' ')}`
  }
  if (question.kind === 'aside') return `aside ${question.step.kind}`
  const { trouble } = question
  const again = `${trouble?.again ? ` ${trouble.again}` : ''}${trouble?.grouped ? ' grouped' : ''}`
  const at = trouble === undefined ? '' : ` (${trouble.phase}${again})`
  return `outcomes ${question.outcomes.map(short).join(', ')}${at}`
}

type Cut = 'whole' | 'octets'

/** What the `@` lines of a dialogue ask for. */
interface Scene {
  readonly settings: Partial<ClientSettings>
  readonly work: readonly ClientAnswer[]
  readonly follows: boolean
  /** Whether it can be cut: some rules hold only where octets come in one piece. */
  readonly cuts: readonly Cut[]
  /** How the server ends its lines. */
  readonly lineEnd: string
  readonly lines: readonly string[]
}

/** Reads a dialogue with its directives; see test/transcript/smtp-client.test.ts. */
export function scene(text: string): Scene {
  let overrides: Partial<ClientSettings> = {}
  let cuts: readonly Cut[] = ['whole', 'octets']
  let lineEnd = '\r\n'
  let follows = false
  const work: ClientAnswer[] = []
  const lines: string[] = []
  for (const line of text.split('\n').map(line => line.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const [mark, word, ...rest] = line.split(' ')
    if (mark !== '@') lines.push(line)
    else if (word === 'whole') cuts = ['whole']
    else if (word === 'lf') lineEnd = '\n'
    else if (word === 'group') follows = true
    else if (word === 'carry') work.push(parseCarry(rest))
    else if (word === 'forwarded') {
      work.push({ ...(work.pop() as Carry), forwarded: JSON.parse(rest.join(' ')) as Forwarded })
    } else if (word === 'quit') work.push({ kind: 'quit' })
    else if (word === 'etrn')
      work.push({ kind: 'start', node: rest.join(' ').replaceAll('\\r', '\r') })
    else if (word === 'atrn') work.push({ kind: 'exchange', verb: 'ATRN', domains: rest })
    else if (word === 'probe') {
      const [reversePath = '', ...forwardPaths] = rest.map(path => path.replaceAll('\\r', '\r'))
      work.push({ kind: 'probe', reversePath, forwardPaths })
    } else if (word === 'turn') work.push({ kind: 'exchange', verb: 'TURN', domains: [] })
    else overrides = { ...overrides, ...setting(word, rest) }
  }
  return { settings: overrides, work, follows, cuts, lineEnd, lines }
}

function setting(word: string | undefined, words: readonly string[]) {
  const [first = '', second = ''] = words
  if (word === 'without') return { without: words }
  if (word === 'lmtp') return { protocol: 'lmtp' as const }
  if (word === 'starttls') return { startTls: first as ClientSettings['startTls'] }
  if (word === 'tls') return { tls: { ...tlsFacts, verified: first === 'verified' } }
  if (word === 'login') return { login: { username: first, password: second } }
  if (word === 'chunks') return { chunkOctets: Number(first) }
  if (word === 'plaintext-login') return { plaintextLogin: true }
  throw new Error(`unknown directive ${word}`)
}

/**
 * `a@x b@y crlf id=m1 BODY=8BITMIME BY=120;R content=text\r\n`; `content` comes last. Parameters are those of the
 * server, read by its own rules; one of RCPT is every recipient's.
 */
function parseCarry(words: readonly string[]): Carry {
  const spell = (text: string) => text.replaceAll('\\r', '\r').replaceAll('\\n', '\n')
  const text = words.join(' ')
  const at = text.indexOf('content=')
  const before = (at < 0 ? text : text.slice(0, at)).trim().split(' ')
  const content = at < 0 ? undefined : Buffer.from(spell(text.slice(at + 8)))
  const parameter = /^[A-Z0-9-]+(?:=|$)/
  const sender: Draft<Partial<Sender>> = {}
  const recipient: Draft<Partial<Recipient>> = {}
  for (const word of before.filter(each => parameter.test(each))) {
    const [keyword = '', ...value] = word.split('=')
    read(keyword, value.length === 0 ? undefined : value.join('='), sender, recipient)
  }
  const own = /^(?:crlf$|id=)/
  const recipients = before.filter(word => !own.test(word) && !parameter.test(word)).map(spell)
  const carried = carry(recipients, content, sender)
  const { envelope } = carried
  const asked = envelope.recipients.map(each => ({ ...each, ...recipient }))
  const lines = before.includes('crlf') ? { crlfOnly: true } : {}
  const id = before.find(word => word.startsWith('id='))?.slice(3)
  return {
    ...carried,
    ...lines,
    ...(id === undefined ? {} : { id }),
    envelope: { ...envelope, recipients: asked },
  }
}

/** Reads one parameter of a message as the server would. */
function read(
  keyword: string,
  value: string | undefined,
  sender: Draft<Partial<Sender>>,
  recipient: Draft<Partial<Recipient>>,
): void {
  const settings = {
    now: () => NOW,
    deliverByMinS: 0,
    holdMaxS: 999_999_999,
    priorityMax: 9,
    unwanted: [],
    without: [] as readonly Keyword[],
  }
  const context = { settings: settings as unknown as SessionSettings, utf8: false, tls: true }
  const ofMail = extensions.find(({ mail }) => mail?.[keyword] !== undefined)?.mail?.[keyword]
  const ofRcpt = extensions.find(({ rcpt }) => rcpt?.[keyword] !== undefined)?.rcpt?.[keyword]
  const refused = ofMail
    ? ofMail(value, sender as Draft<Sender>, context)
    : ofRcpt?.(value, recipient as Draft<Recipient>, context)
  if ((!ofMail && !ofRcpt) || refused) throw new Error(`no parameter: ${keyword}=${value}`)
}

/** One line of the server's; `\(300*ab)` stands for so many of it, and `\(900*|220-hi)` for so many lines. */
function spread(line: string, lineEnd: string): string {
  const lines = line.replace(
    /\\\((\d+)\*(\|?)([^)]*)\)/g,
    (_, count: string, bar: string, what: string) =>
      `${what}${bar && lineEnd}`.repeat(Number(count)),
  )
  return `${lines}${lineEnd}`
}

/** Plays a scene; gives back how it truly went, to be compared with what was written. */
export function play(
  { lines, work, follows, lineEnd, settings: overrides }: Scene,
  cut: Cut,
): { readonly wanted: string; readonly was: string; readonly played: Played } {
  const played = new Played(overrides, work, follows)
  const was: string[] = []
  const take = () => was.push(...played.log.splice(0).map(line => line.trimEnd()))
  played.session.start()
  take()
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string
    if (line.startsWith('! ')) {
      was.push(line)
      played.happen(line.slice(2))
    } else if (line.startsWith('S:')) {
      let text = ''
      for (; lines[at]?.startsWith('S:'); at++) {
        was.push(lines[at] as string)
        text += spread((lines[at] as string).slice(2).trimStart(), lineEnd)
      }
      at--
      played.hear(text, cut)
    }
    take()
  }
  return { wanted: lines.join('\n'), was: was.join('\n'), played }
}
