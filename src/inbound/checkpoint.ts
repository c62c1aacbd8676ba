/**
 * Transactions with a name (RFC 1845): one that broke off goes on where it stopped, and one that was
 * accepted is not accepted again, but answered as the first time. Asked by reception.ts at MAIL.
 *
 * A name counts for its peer alone: the account, or who proved himself by certificate, or the address
 * with the name of its hello. So nobody can suppress or lengthen another's mail. What was refused is
 * not remembered: its repeat is judged anew.
 */
import { formatPath } from '../mail/address.ts'
import type { Envelope, Recipient, Sender } from '../mail/envelope.ts'
import { defer, type Resumption, refuse, type Verdict } from '../mail/verdict.ts'
import type { Identity } from '../queue/id.ts'
import {
  forgetTransfer,
  type KnownTransfer,
  keepPiece,
  type TransferKey,
  transferOf,
} from '../queue/transfer.ts'
import type { Peer } from '../smtp/server/question.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world/world.ts'
import type { Intake } from './intake.ts'
import { Tape } from './tape.ts'

export interface CheckpointSettings {
  /** Octets kept of interrupted messages: of one peer, and of all. */
  readonly perPeerMaxOctets: number
  readonly totalMaxOctets: number
}

export interface CheckpointOptions {
  readonly world: Pick<World, 'disk' | 'log'>
  readonly store: Store
  readonly identify: () => Identity
  readonly settings: () => CheckpointSettings
}

const UNDER_WAY = defer(451, '5.0', 'this transaction is under way on another connection')
const OF_OTHERS = defer(
  451,
  '5.0',
  'this transaction was completed meanwhile, for other recipients',
)
const ANOTHER = refuse(554, '5.4', 'TRANSID is that of a transaction with another sender')
const LOST = defer(451, '3.0', 'what was kept of the message is lost; send it again from its start')
const NOT_THE_SAME = refuse(
  554,
  '5.0',
  'this transaction is complete, and nothing is missing of it',
)

type Refusal = Exclude<Verdict, { kind: 'accept' }>

/** What is kept of an envelope. */
interface KeptEnvelope {
  readonly from: string
  readonly body: string
  readonly utf8: boolean
  readonly recipients: readonly Recipient[]
}

export class Checkpoints {
  readonly #options: CheckpointOptions
  /** Those that a connection of this process has in hand. */
  readonly #live = new Map<string, Transfer>()

  constructor(options: CheckpointOptions) {
    this.#options = options
  }

  /** MAIL with TRANSID: the transaction, new or as far as it had come, or why it cannot be had. */
  async begin(peer: Peer, sender: Sender): Promise<Transfer | Refusal> {
    const key = { scope: scopeOf(peer), id: sender.transactionId ?? '' }
    const name = `${key.id} ${key.scope}`
    await this.#live.get(name)?.over
    if (this.#live.has(name)) return UNDER_WAY as Refusal
    const transfer = new Transfer(this.#options, key, () => this.#live.delete(name))
    this.#live.set(name, transfer)
    try {
      const refused = await transfer.begin(sender)
      if (refused === undefined) return transfer
      this.#live.delete(name)
      return refused
    } catch (error) {
      this.#live.delete(name)
      throw error
    }
  }
}

/** Whose transactions they are. */
function scopeOf({ account, tls, remote, hello }: Peer): string {
  if (account !== undefined) return `account ${account.id}`
  if (tls?.verified && tls.peerName) return `certificate ${tls.peerName}`
  return `peer ${remote.address} ${hello.toLowerCase()}`
}

export class Transfer {
  readonly #options: CheckpointOptions
  readonly #key: TransferKey
  readonly #release: () => void
  #known: KnownTransfer = { done: undefined, kept: undefined, pieces: [] }
  #tape: Tape | undefined
  #pieces = 0
  #envelope = ''
  /** Octets that came in vain: the transaction was complete. */
  #surplus = 0
  /** Resolves when its connection has let it go; undefined while it is under way. */
  over: Promise<void> | undefined

  constructor(options: CheckpointOptions, key: TransferKey, release: () => void) {
    this.#options = options
    this.#key = key
    this.#release = release
  }

  /** Looks up what is known; a refusal where that is of another sender. */
  async begin(sender: Sender): Promise<Refusal | undefined> {
    this.#known = await this.#options.store.read(transferOf, this.#key)
    const { done, kept, pieces } = this.#known
    this.#pieces = pieces.length
    const first = done ?? kept
    if (first === undefined) return undefined
    const { from, body, utf8 } = JSON.parse(first.envelope) as KeptEnvelope
    const same = from === formatPath(sender.reversePath) && body === sender.body
    return same && utf8 === sender.utf8 ? undefined : (ANOTHER as Refusal)
  }

  /** How far it has come; undefined where it begins. */
  get resumption(): Resumption | undefined {
    const first = this.#known.done ?? this.#known.kept
    if (first === undefined) return undefined
    const { recipients } = JSON.parse(first.envelope) as KeptEnvelope
    return { recipients, octets: Number(first.size_octets) }
  }

  /** Whether it was accepted already: then its content is not taken again. */
  get complete(): boolean {
    return this.#known.done !== undefined
  }

  /** Content follows. What is kept of it goes into the intake first; a refusal where that is gone. */
  async start(envelope: Envelope, intake: Intake): Promise<Refusal | undefined> {
    const { world, store, identify, settings } = this.#options
    this.#envelope = kept(envelope)
    try {
      for (const { staged, size_octets: size } of this.#known.pieces) {
        for await (const octets of world.disk.read(staged, 0, Number(size))) {
          await intake.push(octets, 0, octets.length)
        }
      }
    } catch (error) {
      world.log.warn('checkpoint.lost', { transaction: this.#key.id, error: String(error) })
      await this.#forget()
      return LOST as Refusal
    }
    this.#tape = new Tape(world.disk, envelope.sender.body === 'BINARYMIME', async piece => {
      const { perPeerMaxOctets, totalMaxOctets } = settings()
      const done = await store.write(keepPiece, {
        ...this.#key,
        ...piece,
        n: this.#pieces,
        envelope: this.#envelope,
        bodyKey: identify().bodyKey,
        scopeMaxOctets: perPeerMaxOctets,
        totalMaxOctets,
      })
      if (done) this.#pieces += 1
      return done
    })
    return undefined
  }

  /** Content octets[from, to) go to the intake as well; a promise asks to wait. */
  keep(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    if (this.complete) this.#surplus += to - from
    return this.#tape?.push(octets, from, to)
  }

  /** The answer to the repeat of a transaction that is complete: the first one. */
  repeated(): Verdict {
    const { done } = this.#known
    if (done === undefined || this.#surplus > 0) return NOT_THE_SAME
    return { kind: 'accept', text: done.reply }
  }

  /** What the accepting transaction is to record. */
  record(sizeOctets: number, reply: string) {
    return { ...this.#key, envelope: this.#envelope, sizeOctets, reply }
  }

  /**
   * Another connection has had it accepted meanwhile: its result, undefined where that is not so. Whoever is not
   * among its recipients has nothing yet, and must come again under another name.
   */
  async elsewhere({ recipients }: Envelope): Promise<Verdict | undefined> {
    this.#known = await this.#options.store.read(transferOf, this.#key)
    if (!this.complete) return undefined
    const taken = new Set(this.resumption?.recipients.map(pathOf))
    return recipients.every(each => taken.has(pathOf(each))) ? this.repeated() : OF_OTHERS
  }

  /** All is here and about to be accepted: no piece may be on its way any more. */
  async settled(): Promise<void> {
    await this.#tape?.abandon()
  }

  /** It was accepted: bodies that were kept of it go. */
  accepted(released: readonly string[]): void {
    this.#end(() => this.#remove(released))
  }

  /** The connection is gone: what came is kept for the next one. */
  interrupted(): void {
    this.#end(async () => this.#tape?.end())
  }

  /** It was given up by its client, or refused: nothing is kept. */
  forgotten(): void {
    this.#end(async () => {
      await this.#tape?.abandon()
      if (this.#pieces > 0) await this.#forget()
    })
  }

  #end(work: () => Promise<unknown>): void {
    this.over ??= work()
      .catch((error: unknown) => {
        const facts = { transaction: this.#key.id, error: String(error) }
        this.#options.world.log.warn('checkpoint.end', facts)
      })
      .then(() => this.#release())
  }

  async #forget(): Promise<void> {
    await this.#remove(await this.#options.store.write(forgetTransfer, this.#key))
    this.#pieces = 0
  }

  async #remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#options.world.disk.remove(name)
  }
}

function pathOf({ forwardPath }: Recipient): string {
  return formatPath(forwardPath)
}

function kept({ sender, recipients }: Envelope): string {
  const { reversePath, body, utf8 } = sender
  const envelope: KeptEnvelope = { from: formatPath(reversePath), body, utf8, recipients }
  return JSON.stringify(envelope)
}
