/**
 * A person with a mail program (MUA): submits over SMTP with TLS and a login, tries again until the
 * server has said yes or no for each recipient, and reads the mailbox over POP3. Every try carries a
 * mark of its own, so that the oracle knows one transaction from another.
 */
import { type Fetched, fetchAll } from '../../src/access/pop3-fetch.ts'
import { parseStoredAddress } from '../../src/mail/address.ts'
import type { Notify, Recipient, Sender } from '../../src/mail/envelope.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import { sendMail } from '../../src/transport/send.ts'
import { sleep } from '../../src/world/clock.ts'
import type { Host } from '../../src/world/sim/index.ts'
import { type Door, type Habit, Shelf, visit } from './readers.ts'
import { passwordOf } from './residents.ts'
import type { MailServer } from './server.ts'

/** What a person wants to be sent. */
export interface Letter {
  readonly from: string
  readonly to: readonly string[]
  readonly subject?: string
  readonly body?: string
  readonly notify?: Notify
  /** Further parameters of MAIL, as they are at the moment of a try, and of RCPT. */
  readonly asks?: (nowMs: number) => Partial<Sender>
  readonly asksOfEach?: Partial<Recipient>
  /** Further header fields, without their line ends. */
  readonly fields?: readonly string[]
}

/** One transaction as its client saw it. */
export interface Try {
  /** Stands in the message, and nowhere else in the town. */
  readonly mark: string
  readonly from: string
  readonly at: number
  readonly notify: Notify | undefined
  readonly octets: Buffer
  readonly recipients: readonly { readonly address: string; readonly outcome: Outcome }[]
}

const AGAIN_MS = 60_000
/** A person gives up some time. */
const TRIES_MAX = 2000

export class User {
  readonly address: string
  readonly tries: Try[] = []
  /** What was read and taken from the server. */
  readonly shelf = new Shelf()
  /** How mail is read in a storm. */
  habit: Habit = 'stays'
  readonly #host: Host
  readonly #server: MailServer
  #letters = 0

  constructor(address: string, host: Host, server: MailServer) {
    this.address = address
    this.#host = host
    this.#server = server
  }

  /** Submits a letter; resolves once every recipient was taken or refused for good. */
  async send(letter: Letter): Promise<void> {
    const number = ++this.#letters
    let open = letter.to
    for (let n = 1; open.length > 0 && n <= TRIES_MAX; n++) {
      if (n > 1) await sleep(this.#host.world.clock, AGAIN_MS)
      const mark = `${this.address.replace('@', '-at-')}-${number}-${n}`
      const tried = await this.#try(letter, open, mark)
      this.tries.push(tried)
      open = tried.recipients.flatMap(r => (r.outcome.kind === 'deferred' ? [r.address] : []))
    }
  }

  /** Reads as is the habit; nothing comes of it where the server cannot be read. */
  async visit(): Promise<void> {
    await visit(this.#host.world, this.door, this.habit, this.shelf).catch(() => {})
  }

  get world(): Host['world'] {
    return this.#host.world
  }

  get door(): Door {
    return {
      address: this.#server.host.addresses[0] as string,
      servername: this.#server.name,
      username: this.address,
      password: passwordOf(this.address),
    }
  }

  /** All that is in the mailbox; rejects where the server cannot be read. */
  read(): Promise<Fetched[]> {
    const { world } = this.#host
    return fetchAll(world, {
      address: this.#server.host.addresses[0] as string,
      port: 995,
      credentials: { username: this.address, password: passwordOf(this.address) },
      tls: 'implicit',
      secure: { side: 'client', servername: this.#server.name, trust: 'verify' },
      mechanisms: ['SCRAM-SHA-256'],
      remove: false,
      timeoutMs: 60_000,
    })
  }

  async #try(letter: Letter, to: readonly string[], mark: string): Promise<Try> {
    const { world } = this.#host
    const { notify } = letter
    const at = world.clock.now()
    const octets = compose(letter, mark, at)
    const { outcomes } = await sendMail(world, {
      host: this.#server.name,
      port: 587,
      tls: 'require',
      login: { username: this.address, password: passwordOf(this.address) },
      hostname: this.#host.name,
      content: octets,
      replyTimeoutMs: 60_000,
      envelope: {
        sender: {
          reversePath: parseStoredAddress(this.address),
          body: '7BIT',
          utf8: false,
          envelopeId: mark,
          ...letter.asks?.(at),
        },
        recipients: to.map(address => ({
          forwardPath: parseStoredAddress(address),
          ...(notify === undefined ? {} : { notify }),
          ...letter.asksOfEach,
        })),
      },
    })
    const recipients = to.map((address, i) => ({ address, outcome: outcomes[i] as Outcome }))
    return { mark, from: this.address, at, notify, octets, recipients }
  }
}

function compose(letter: Letter, mark: string, at: number): Buffer {
  const lines = [
    `From: ${letter.from}`,
    `To: ${letter.to.join(', ')}`,
    `Subject: ${letter.subject ?? 'A letter'}`,
    `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${mark}@mua.test>`,
    ...(letter.fields ?? []),
    '',
    letter.body ?? 'All is well.\r\n.\r\n..And so are the dots.',
    '',
  ]
  return Buffer.from(lines.join('\r\n'))
}
