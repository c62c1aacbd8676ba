/**
 * One mail transaction: MAIL, RCPT, DATA or BDAT (RFC 5321 §3.3). Run by session.ts for each
 * message. Where the hop offers PIPELINING all commands leave in one write (RFC 2920), else each
 * waits for the reply to the one before; the replies are read by the same lines either way.
 */
import { askForDelays, deadlinePassed } from '../../mail/deliver-by.ts'
import type { Recipient } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/status.ts'
import { dotEnding, dotStuffing } from '../../wire/dot.ts'
import { Chunks } from './chunks.ts'
import { mailCommand, needsUtf8, rcptCommand, unfit, unfitRcpt } from './command.ts'
import { watched } from './content.ts'
import { forward } from './forward.ts'
import type { Ledger } from './ledger.ts'
import type { Carry, Trouble } from './question.ts'
import { goneOnAt, NAMES_MAX, offsetIn, transactionName } from './resuming.ts'
import { classOf, offers, replyText, type Script, type Talk } from './talk.ts'

/** How the connection stands after it: free for the next, in need of RSET, or of no more use. */
export type Aftermath = 'clean' | 'reset' | Trouble

interface Commands {
  readonly mail: string
  /** One for each recipient that can be written; its place in the envelope first. */
  readonly rcpts: readonly (readonly [number, string])[]
}

/**
 * Offers one message; what becomes of its recipients is written into the ledger.
 * @param n under which of its names, where the hop knows names (RFC 1845)
 */
export function* transaction(talk: Talk, carry: Carry, ledger: Ledger, n = 0): Script<Aftermath> {
  const name = transactionName(talk, carry, n)
  ledger.named = name !== undefined
  const commands = prepare(talk, carry, ledger, name)
  if (commands === undefined) return 'clean'
  if ('kind' in commands) return commands
  const byChunks = name === undefined && goesByChunks(talk, carry)
  const piped = offers(talk, 'PIPELINING')
  // What is to be sent behind DATA is known only from the reply to a MAIL with a name.
  const together = piped && name === undefined
  const data = byChunks ? '' : 'DATA\r\n'
  const { mail, rcpts } = commands
  if (carry.forwarded !== undefined) yield* forward(talk, carry.forwarded)
  talk.allowance.begin()
  const group = rcpts.map(([, command]) => command).join('')
  talk.say(piped ? mail + group + (together ? data : '') : mail)

  const taken = yield 'mail'
  if (name !== undefined && taken.code === 355) {
    return yield* goOn(talk, carry, ledger, { rcpts, piped, taken, n })
  }
  if (classOf(taken) === 3) return outOfProtocol('mail', 'MAIL', taken)
  if (name !== undefined && classOf(taken) === 5) {
    // It may be the name that is refused, and no mail fails for that.
    if (piped) for (const _ of rcpts) yield 'rcpt'
    return yield* transaction(talk, carry, ledger, NAMES_MAX)
  }
  if (classOf(taken) !== 2) {
    ledger.refuseAll('MAIL', taken)
    if (!piped) return 'clean'
  }
  for (const [at, command] of rcpts) {
    if (!piped) talk.say(command)
    const reply = yield 'rcpt'
    // Behind a refused MAIL every RCPT is refused too (503); that says nothing about it.
    if (ledger.settled(at)) continue
    if (classOf(reply) === 3) return outOfProtocol('rcpt', 'RCPT', reply)
    if (classOf(reply) === 2) ledger.accept(at)
    else ledger.refuseRecipient(at, reply)
  }
  const open = classOf(taken) === 2
  if (byChunks) {
    if (ledger.accepted.length === 0) return open ? 'reset' : 'clean'
    return yield* chunks(talk, carry, ledger)
  }
  if (!together) {
    if (ledger.accepted.length === 0) return open ? 'reset' : 'clean'
    talk.say(data)
  }
  const go = yield 'data'
  // RFC 5321 §4.2: a client acts by the first digit.
  if (classOf(go) !== 3) return notGiven(go, ledger, open)
  if (ledger.accepted.length === 0) {
    // RFC 2033 §4.2: as many replies as recipients, here none; nobody can tell when it is over.
    if (talk.settings.protocol === 'lmtp') return outOfProtocol('data', 'DATA for nobody', go)
    // RFC 2920 §3.1: DATA left before the refusals were known. An empty message to nobody ends it.
    talk.say('.\r\n')
    yield 'dot'
    return 'clean'
  }
  if (carry.lapsed?.()) return lapsed
  talk.dialogue.note(`content, ${carry.sizeOctets} octets, and the final dot`)
  const transform = carry.crlfOnly && carry.undotted ? dotEnding() : dotStuffing()
  talk.stream(carry.content, watched(transform, contentWatch(talk, carry, ledger)))
  return yield* settle(talk, ledger)
}

/**
 * RFC 1845 §3: the hop knows the transaction, and how far it has come. Those that RCPT takes are its
 * recipients; the others go by another one.
 */
function* goOn(
  talk: Talk,
  carry: Carry,
  ledger: Ledger,
  begun: { readonly rcpts: Commands['rcpts']; piped: boolean; taken: Reply; n: number },
): Script<Aftermath> {
  const { rcpts, piped, taken, n } = begun
  const strangers: number[] = []
  for (const [at, command] of rcpts) {
    if (!piped) talk.say(command)
    const reply = yield 'rcpt'
    if (classOf(reply) === 3) return outOfProtocol('rcpt', 'RCPT', reply)
    if (classOf(reply) === 2) ledger.accept(at)
    else strangers.push(at)
  }
  const offset = offsetIn(taken, carry.sizeOctets)
  if (ledger.accepted.length === 0 || offset === undefined) {
    ledger.accepted.length = 0
    talk.say('RSET\r\n')
    const reset = yield 'reset'
    if (classOf(reset) !== 2) return outOfProtocol('mail', 'RSET', reset)
    return yield* transaction(talk, carry, ledger, n + 1)
  }
  for (const at of strangers) ledger.postpone(at, 'not of the transaction that is gone on with')
  talk.say('DATA\r\n')
  const go = yield 'data'
  if (classOf(go) !== 3) return notGiven(go, ledger, true)
  if (carry.lapsed?.()) return lapsed
  talk.dialogue.note(`content from octet ${offset} on, and the final dot`)
  const short = () => talk.abandon('4.5.0', `the hop has more octets than the message: ${offset}`)
  const transform = goneOnAt(offset, dotStuffing(), short)
  talk.stream(carry.content, watched(transform, contentWatch(talk, carry, ledger)))
  return yield* settle(talk, ledger)
}

/** Everything that is decided before a word is said. */
function prepare(
  talk: Talk,
  carry: Carry,
  ledger: Ledger,
  transactionId: string | undefined,
): Commands | Trouble | undefined {
  const { recipients } = carry.envelope
  const named = transactionId === undefined ? undefined : { transactionId }
  const sender = named ? { ...carry.envelope.sender, ...named } : carry.envelope.sender
  const utf8 = needsUtf8(sender, recipients)
  if (utf8 && !offers(talk, 'SMTPUTF8')) {
    return ledger.failAll('5.6.7', 'the next hop does not offer SMTPUTF8 (RFC 6531)')
  }
  const binary = sender.body === 'BINARYMIME'
  if (binary && !(offers(talk, 'BINARYMIME') && offers(talk, 'CHUNKING'))) {
    return ledger.failAll('5.6.1', 'the next hop does not offer BINARYMIME (RFC 3030)')
  }
  // RFC 1870 §5: 0 and nothing mean that no limit is told.
  const limit = offers(talk, 'SIZE') ? Number(talk.extensions.get('SIZE')) : 0
  if (limit > 0 && carry.sizeOctets > limit) {
    return ledger.failAll('5.3.4', `${carry.sizeOctets} octets; the next hop takes ${limit}`)
  }
  const bar = unfit(talk, sender)
  if (bar !== undefined) return ledger.failAll(bar.status, bar.reason)
  const mail = mailCommand(talk, sender, carry.sizeOctets, utf8)
  if (mail === undefined) return ledger.failAll('5.1.7', 'the sender cannot be written in MAIL')
  const rcpts: [number, string][] = []
  let over = 0
  for (const [at, recipient] of asked(talk, carry).entries()) {
    const barred = unfitRcpt(talk, recipient)
    if (barred !== undefined) {
      ledger.fail(at, barred.status, barred.reason)
      continue
    }
    const command = rcptCommand(talk, recipient, utf8)
    if (command === undefined) ledger.fail(at, '5.1.3', 'the address cannot be written in RCPT')
    else if (talk.allowance.admits(recipient, rcpts.length)) rcpts.push([at, command])
    else {
      ledger.postpone(at, TOO_MANY)
      over += 1
    }
  }
  if (rcpts.length > 0) return { mail, rcpts }
  if (over === 0) return undefined
  // Domains of earlier messages have used up what this connection takes (RCPTDOMAINMAX).
  return { kind: 'deferred', phase: 'idle', status: '4.5.3', reason: TOO_MANY, again: 'anew' }
}

const TOO_MANY = 'the hop takes no more recipients at once (RFC 9422)'

/** The recipients, asked to tell of delays where the hop does not keep the time (RFC 2852 §4.1.4.2). */
function asked(talk: Talk, { envelope }: Carry): readonly Recipient[] {
  const { deliverBy } = envelope.sender
  if (deliverBy === undefined || offers(talk, 'DELIVERBY')) return envelope.recipients
  if (deadlinePassed(deliverBy, talk.settings.now())) return envelope.recipients
  return envelope.recipients.map(askForDelays)
}

/** Anything but 3yz to DATA. */
function notGiven(reply: Reply, ledger: Ledger, open: boolean): Aftermath {
  if (classOf(reply) < 4) return outOfProtocol('data', 'DATA', reply)
  // With no recipient left, the refusal (503 or 554) is what we wait for and says nothing.
  ledger.refuseAccepted('DATA', reply)
  return open ? 'reset' : 'clean'
}

/** Content of this size is worth several commands, so that the hop can refuse it before all has gone. */
const CHUNK_OCTETS = 524_288

/** Binary content goes by BDAT alone (RFC 3030 §3); large content, where it need not be mended for it. */
function goesByChunks(talk: Talk, { envelope, sizeOctets, crlfOnly = false }: Carry): boolean {
  if (envelope.sender.body === 'BINARYMIME') return true
  const large = sizeOctets > (talk.settings.chunkOctets ?? CHUNK_OCTETS)
  return crlfOnly && large && offers(talk, 'CHUNKING')
}

/**
 * BDAT (RFC 3030 §2): without PIPELINING in one chunk, since one reply is cheapest; with it in several
 * that do not wait for each other's reply (§4.2). Each chunk has one reply, and only the last ends the
 * message.
 */
function* chunks(talk: Talk, carry: Carry, ledger: Ledger): Script<Aftermath> {
  if (carry.lapsed?.()) return lapsed
  const { chunkOctets = CHUNK_OCTETS } = talk.settings
  const most = offers(talk, 'PIPELINING') ? chunkOctets : Number.POSITIVE_INFINITY
  const stream = new Chunks(carry.sizeOctets, most, {
    ...contentWatch(talk, carry, ledger),
    announced: command => talk.dialogue.said(command),
    differs: () => talk.abandon('4.3.0', 'the content is not as long as announced'),
  })
  talk.stream(carry.content, stream)
  for (let heard = 0; heard < stream.count - 1; heard++) {
    const reply = yield ledger.ended ? 'dot' : 'content'
    if (heard >= stream.complete) return early(ledger, reply)
    if (classOf(reply) === 3) return outOfProtocol('content', 'a chunk', reply)
    if (classOf(reply) === 2) continue
    ledger.refuseAccepted('a chunk', reply)
    stream.stop()
    // What had left behind it is refused too (503); whether an LMTP server does so once is not said.
    for (heard += 1; heard < stream.announced; heard++) {
      if (talk.settings.protocol === 'lmtp' && heard === stream.count - 1) {
        return outOfProtocol('content', 'a chunk before the last', reply)
      }
      yield 'content'
    }
    return 'reset'
  }
  return yield* settle(talk, ledger)
}

/** A refusal in the middle of the content: it counts, and nothing can follow it but the end. */
function early(ledger: Ledger, reply: Reply): Trouble {
  if (classOf(reply) >= 4) ledger.refuseAccepted('the content', reply)
  return outOfProtocol('content', 'the content, before its end,', reply)
}

/** The reply to the end of the message; LMTP gives one for each recipient (RFC 2033 §4.2). */
function* settle(talk: Talk, ledger: Ledger): Script<Aftermath> {
  // Of content that is pulled piece by piece the end has not been said yet.
  if (ledger.ended) talk.follow()
  const each = talk.settings.protocol === 'lmtp' ? [...ledger.accepted] : [undefined]
  for (const at of each) {
    const reply = yield ledger.ended ? 'dot' : 'content'
    const kind = classOf(reply)
    if (!ledger.ended) return early(ledger, reply)
    if (kind === 3) return outOfProtocol('dot', 'the end of the message', reply)
    // An LMTP server has put it into the mailbox when it says so (RFC 2033 §1): that is delivery.
    const dsn = offers(talk, 'DSN')
    const how = talk.settings.protocol === 'lmtp' && !dsn ? 'mailbox' : 'relayed'
    const deliverBy = offers(talk, 'DELIVERBY')
    ledger.conclude(reply, { how, dsn, deliverBy, tracked: offers(talk, 'MTRK') }, at)
  }
  return 'clean'
}

/** Behind DATA nothing but the end of the connection keeps the hop from taking the message. */
const lapsed: Trouble = {
  kind: 'deferred',
  phase: 'content',
  status: '4.3.0',
  reason: 'somebody else may carry it by now',
}

function contentWatch(talk: Talk, carry: Carry, ledger: Ledger) {
  return {
    withheld: () => {
      if (!carry.lapsed?.()) return false
      talk.abandon(lapsed.status, lapsed.reason)
      return true
    },
    moved: () => talk.progress(),
    ending: () => {
      ledger.ended = true
      talk.ended()
    },
  }
}

function outOfProtocol(phase: Trouble['phase'], what: string, reply: Reply): Trouble {
  const reason = `${what} was answered out of protocol: ${replyText(reply)}`
  return { kind: 'deferred', phase, status: '4.5.0', reason, reply }
}
