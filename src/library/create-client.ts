/**
 * An SMTP client for a TypeScript program. It speaks to one host and keeps nothing: each message
 * ends in one outcome for each recipient, and `send` never rejects.
 */
import { parseStoredAddress } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import { type SendOptions, sendMail } from '../transport/send.ts'
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
    | 'replyTimeoutMs'
  > {
  readonly login?: Credentials
}

export interface OutgoingMessage {
  /** The reverse-path; '' is the null one. */
  readonly from: string
  readonly to: readonly string[]
  /** The message with CRLF line ends; message/compose.ts makes one. */
  readonly content: Source
  /** Octets of `content`, where it is a stream. */
  readonly sizeOctets?: number
}

export interface Client {
  send(message: OutgoingMessage): Promise<{ outcomes: readonly Outcome[]; dialogue: string }>
}

/** Makes a client; a connection is opened for each message. */
export function createClient(options: CreateClientOptions): Client {
  const world = {
    clock: nodeClock,
    random: nodeRandom,
    net: nodeNet,
    dns: nodeDns(),
    log: silent,
    stretch: nodeStretch,
  }
  return {
    send({ from, to, content, sizeOctets }) {
      const eightBit = !(content instanceof Uint8Array) || content.some(octet => octet > 127)
      return sendMail(world, {
        ...options,
        content,
        ...(sizeOctets === undefined ? {} : { sizeOctets }),
        envelope: {
          sender: {
            reversePath: from === '' ? null : parseStoredAddress(from),
            body: eightBit ? '8BITMIME' : '7BIT',
            utf8: [from, ...to].some(address => /[^\0-\x7f]/.test(address)),
          },
          recipients: to.map(address => ({ forwardPath: parseStoredAddress(address) })),
        },
      })
    },
  }
}
