/**
 * An SMTP client for a TypeScript program. It speaks to one host and keeps no mail: each message
 * ends in one outcome for each recipient (mail/outcome.ts), and `send` never rejects.
 */
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { Notify, Recipient, Sender } from '../mail/envelope.ts'
import type { Outcome } from '../mail/outcome.ts'
import { parseAddressList } from '../message/address-list.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import { Pool } from '../transport/pool.ts'
import { type SendOptions, type Sent, sendMail } from '../transport/send.ts'
import type { Source } from '../wire/effect.ts'
import { silent } from '../world/log.ts'
import { nodeClock, nodeDns, nodeNet, nodeRandom, nodeStretch } from '../world/node/index.ts'

export interface CreateClientOptions
  extends Pick<
    SendOptions,
    | 'host'
    | 'port'
    | 'tls'
    | 'hostname'
    | 'protocol'
    | 'roots'
    | 'anyCertificate'
    | 'connectTimeoutMs'
    | 'replyTimeoutMs'
  > {
  readonly login?: Credentials
  /**
   * So many connections at most, kept for further messages (a hundred each, 10 s idle): more messages wait for
   * their turn. Unless said each message has a connection of its own, all at once.
   */
  readonly connections?: number
}

/** What a sender may ask for: DSN's `ret` and `envelopeId`, `requireTls`, `priority`, `deliverBy` ... */
export type Asked = Partial<
  Pick<
    Sender,
    'ret' | 'envelopeId' | 'submitter' | 'deliverBy' | 'priority' | 'solicitations' | 'requireTls'
  >
>

export interface OutgoingMessage extends Asked {
  /** The reverse-path; '' is the null one. */
  readonly from: string
  /** As `joe@example.org` or `Joe <joe@example.org>`. */
  readonly to: readonly string[]
  /** When each recipient is to be reported on (RFC 3461 §4.1): `['SUCCESS', 'FAILURE']`, or 'NEVER'. */
  readonly notify?: Notify
  /** The message with CRLF line ends; `compose` makes one. */
  readonly content: Source
  /** Octets of `content`, where it is a stream: told in advance (SIZE). */
  readonly sizeOctets?: number
}

export interface Client {
  /** Resolves with an outcome for each of `to`, in order, and what was said, without secrets and content. */
  send(message: OutgoingMessage): Promise<Sent>
  /** Leaves the connections that are kept, once all messages have their outcomes. */
  close(): Promise<void>
}

const MESSAGES_PER_CONNECTION = 100
const IDLE_MS = 10_000

/** Makes a client; it connects when there is something to send. Throws a RangeError where `connections` is none. */
export function createClient(options: CreateClientOptions): Client {
  const world = {
    clock: nodeClock,
    random: nodeRandom,
    net: nodeNet,
    dns: nodeDns(),
    log: silent,
    stretch: nodeStretch,
  }
  const pool = options.connections === undefined ? undefined : poolOf(options.connections)
  const underWay = new Set<Promise<Sent>>()

  function send({ from, to, notify, content, sizeOctets, ...asked }: OutgoingMessage) {
    const reversePath = from === '' ? null : readAddress(from)
    if (reversePath === undefined) {
      return { outcomes: to.map(() => noAddress(from, '5.1.7')), dialogue: '' }
    }
    const addresses = to.map(readAddress)
    const recipients: Recipient[] = addresses
      .filter(address => address !== undefined)
      .map(forwardPath => ({ forwardPath, ...(notify && { notify }) }))
    const eightBit = !(content instanceof Uint8Array) || content.some(octet => octet > 127)
    const envelope = {
      sender: {
        ...asked,
        reversePath,
        body: eightBit ? ('8BITMIME' as const) : ('7BIT' as const),
        utf8: [reversePath, ...addresses].some(
          address => address && /[^\0-\x7f]/.test(formatAddress(address)),
        ),
      },
      recipients,
    }
    const size = sizeOctets === undefined ? {} : { sizeOctets }
    const none: Sent = { outcomes: [], dialogue: '' }
    const sending =
      recipients.length === 0
        ? Promise.resolve(none)
        : sendMail(world, { ...options, content, ...size, envelope }, pool)
    return sending.then(({ outcomes, dialogue }) => {
      const left = outcomes.values()
      return {
        outcomes: addresses.map((address, at) =>
          address === undefined
            ? noAddress(to[at] as string, '5.1.3')
            : (left.next().value as Outcome),
        ),
        dialogue,
      }
    })
  }

  return {
    async send(message) {
      const sending = Promise.resolve(send(message))
      underWay.add(sending)
      return sending.finally(() => underWay.delete(sending))
    },
    async close() {
      // Who waits for his turn goes by the connections there are; then these are left, and their goodbyes heard.
      await Promise.all(underWay)
      await Promise.all(pool?.close() ?? [])
    },
  }
}

function poolOf(connections: number): Pool {
  if (!Number.isInteger(connections) || connections < 1) {
    throw new RangeError(`connections: ${connections} is no number of them`)
  }
  return new Pool(nodeClock, {
    connectionsTo: () => connections,
    connectionsMax: connections,
    messagesPerConnection: MESSAGES_PER_CONNECTION,
    idleMs: IDLE_MS,
  })
}

/** Dots where no dot-atom has them (`a..b@x`) are in use, and are quoted on their way (RFC 5321 §4.1.2). */
const PLAIN = /^[^\s<>()[\]:;@\\,"]+@[^\s<>()[\]:;@\\,"]+$/

/** The one address of a text. `Postmaster` alone needs no domain (§4.1.1.3). */
function readAddress(text: string): Address | undefined {
  if (/^postmaster$/i.test(text)) return { local: text, domain: '' }
  if (PLAIN.test(text)) return parseStoredAddress(text)
  const { mailboxes, fault } = parseAddressList(text)
  const [only, another] = mailboxes
  if (only === undefined || another !== undefined || fault !== undefined) return undefined
  return parseStoredAddress(formatAddress(only.address))
}

/** RFC 3463 §3.2: 5.1.3 a bad recipient, 5.1.7 a bad sender. */
function noAddress(text: string, status: '5.1.3' | '5.1.7'): Outcome {
  const reason = `${JSON.stringify(text.slice(0, 100))} is no address, such as joe@example.org`
  return { kind: 'failed', status, reason }
}
