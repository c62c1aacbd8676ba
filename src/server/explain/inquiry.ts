/**
 * What a session would answer: the listener's own session, role and policy are asked over a connection in memory, up to
 * the last RCPT. Nothing is accepted, counted or kept. Called by explain.ts; the same door as serve.ts opens to peers.
 */

import type { Door } from '../../inbound/door.ts'
import { rewrittenSender } from '../../inbound/heed-rewriting.ts'
import { localRole } from '../../inbound/local.ts'
import { meantBy } from '../../inbound/meant.ts'
import { mxRole } from '../../inbound/mx.ts'
import { Reception } from '../../inbound/reception.ts'
import type { Role } from '../../inbound/role.ts'
import { submissionRole } from '../../inbound/submission.ts'
import { imagined } from '../../limit/visits.ts'
import type { Recipient, Sender } from '../../mail/envelope.ts'
import type { Verdict } from '../../mail/verdict.ts'
import type { Account } from '../../sasl/mechanism.ts'
import type { Peer, Policy } from '../../smtp/server/question.ts'
import { roleOf } from '../../smtp/server/role.ts'
import { ServerSession } from '../../smtp/server/session.ts'
import { encodeBase64 } from '../../wire/base64.ts'
import { pump } from '../../world/pump.ts'
import type { House } from '../house.ts'
import { doorOf } from '../listener-door.ts'
import { MemoryClient } from '../memory-client.ts'
import { smtpSettings } from '../smtp-dialect.ts'

/** Who asks, and what. */
export interface Inquiry {
  readonly listener: 'smtp' | 'submission' | 'local'
  /** The peer's address. */
  readonly ip: string
  /** Its name in EHLO. */
  readonly hello: string
  /** As it stands behind MAIL FROM: and RCPT TO:. */
  readonly reversePath: string
  readonly forwardPaths: readonly string[]
  readonly sizeOctets?: number
  /** Who has logged in. */
  readonly account?: Account
}

/** A command and its reply, as they stand on the wire. */
export interface Spoken {
  readonly said: string
  readonly reply: string
}

export interface Answered {
  readonly spoken: readonly Spoken[]
  /** The reply to each RCPT, in order; '' where the session did not come to it. */
  readonly replies: readonly string[]
  /** Set where MAIL was taken. */
  readonly sender?: Sender
  readonly peer?: Peer
  /** The recipients that were taken, as the end of the message would have them. */
  readonly taken: readonly Recipient[]
}

/** What its TLS is of no account: submission has it, or gives no login. */
const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: false } as const

export async function ask(house: House, inquiry: Inquiry): Promise<Answered> {
  const { listener, account, forwardPaths } = inquiry
  const settings = smtpSettings(house, listener)
  const door = doorOf(house.settings(), listener, settings)
  const reception = new Reception(house.inbound, roleNamed(house, listener), {
    ...door,
    gauge: { underWay: 0 },
    visitor: imagined(house.visits.banOf(inquiry.ip)),
  })
  const heard: Overheard = { taken: [] }
  const [local = '127.0.0.1'] = house.ourAddresses()
  const client = new MemoryClient({
    remote: { address: inquiry.ip, port: 0 },
    local: { address: local, port: 0 },
  })
  const ends = { remote: client.remote, local: client.local }
  const tls = listener === 'submission' ? TLS : undefined
  const running = pump({
    connection: client,
    clock: house.world.clock,
    log: house.world.log,
    role: roleOf(overhear(reception, account, heard)),
    session: sink => new ServerSession(sink, settings, ends, tls),
  })
  const spoken: Spoken[] = [{ said: '', reply: await client.reply() }]
  const say = async (line: string, shown = line) => {
    const reply = await client.say(line)
    spoken.push({ said: shown, reply })
    return reply
  }
  await say(`EHLO ${inquiry.hello}`)
  if (account !== undefined) {
    const initial = encodeBase64(Buffer.from(`\0${account.address}\0x`))
    await say(`AUTH PLAIN ${initial}`, 'AUTH PLAIN (secret)')
  }
  const mail = await say(mailCommand(inquiry))
  const replies: string[] = []
  if (mail.startsWith('2')) {
    for (const path of forwardPaths) replies.push(await say(`RCPT TO:${path}`))
  }
  await client.say('QUIT')
  client.destroy()
  await running.closed
  const { sender, peer } = heard
  const taken = sender && peer ? await meanings(house, door, { peer, sender }, heard.taken) : []
  return {
    spoken,
    replies: forwardPaths.map((_, at) => replies[at] ?? ''),
    taken,
    ...(sender && { sender: rewrittenSender(door.heeding.rewriting, sender) }),
    ...(peer && { peer }),
  }
}

function mailCommand({ reversePath, forwardPaths, sizeOctets }: Inquiry): string {
  const utf8 = /[^\0-\x7f]/.test([reversePath, ...forwardPaths].join(''))
  const size = sizeOctets === undefined ? '' : ` SIZE=${sizeOctets}`
  return `MAIL FROM:${reversePath}${size}${utf8 ? ' SMTPUTF8' : ''}`
}

/** Whom the recipients mean: asked again when a message is complete. */
async function meanings(
  { inbound }: House,
  { routes, heeding }: Pick<Door, 'routes' | 'heeding'>,
  bearing: { readonly peer: Peer; readonly sender: Sender },
  taken: readonly Recipient[],
): Promise<readonly Recipient[]> {
  const all = taken.map(async named =>
    meantBy(inbound, { ...bearing, heeding, ...(routes && { routes }) }, named),
  )
  return (await Promise.all(all)).map(({ recipient }) => recipient)
}

/** Of our own making: what a role counts is not counted for real peers. */
function roleNamed({ inbound }: House, listener: Inquiry['listener']): Role {
  if (listener === 'smtp') return mxRole(inbound)
  return listener === 'submission' ? submissionRole(inbound) : localRole(inbound)
}

/** What is overheard while the session asks its policy. */
interface Overheard {
  peer?: Peer
  sender?: Sender
  readonly taken: Recipient[]
}

/** The reception, overheard; a login is believed, since it was the operator who named it. */
function overhear(reception: Reception, account: Account | undefined, heard: Overheard): Policy {
  return {
    connect: peer => reception.connect(peer),
    hello: peer => reception.hello(peer),
    login: (peer, question) =>
      account === undefined ? reception.login(peer, question) : { kind: 'account', account },
    mail(peer, sender) {
      heard.peer = peer
      heard.sender = sender
      return reception.mail(peer, sender)
    },
    async rcpts(peer, envelope, recipients) {
      const verdicts = await reception.rcpts(peer, envelope, recipients)
      heard.taken.push(...recipients.filter((_, at) => verdicts[at]?.kind === 'accept'))
      return verdicts
    },
    // It never comes to these.
    data: () => NEVER,
    content: () => undefined,
    accept: () => [NEVER],
    abandon: interrupted => reception.abandon(interrupted),
    verify: () => NEVER,
    expand: () => NEVER,
    start: () => NEVER,
    exchange: () => NEVER,
    closed: () => reception.closed(),
  }
}

const NEVER: Verdict = { kind: 'refuse', code: 502, detail: '5.1', text: 'not asked' }
