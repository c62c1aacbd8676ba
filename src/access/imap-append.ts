/**
 * APPEND (RFC 9051 §6.3.12, RFC 3502): the octets of each message are taken in as they come, and all messages
 * of a command are put into the mailbox by one transaction. What was begun and not committed is given up.
 */
import { limitOf, type QuotaLimit, roomFor } from '../account/quota.ts'
import type { Answer, No, Question } from '../imap/server/question.ts'
import { Intake } from '../inbound/intake.ts'
import { isFull } from '../inbound/no-room.ts'
import { type Appended, appendMessages } from '../mailbox/append.ts'
import { allowed } from '../mailbox/flags.ts'
import { folderStatus } from '../mailbox/folder.ts'
import { quotaOf } from '../mailbox/quota.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { ImapAccess } from './imap.ts'
import { notThere, overQuota, tooManyKeywords } from './imap-no.ts'
import { lacking, placeOf, untoldTo } from './imap-place.ts'
import { octetsBehind } from './imap-url.ts'

type Access = Pick<
  ImapAccess,
  'store' | 'world' | 'identify' | 'inlineUpToOctets' | 'quota' | 'room' | 'log'
>

/** A message whose octets come. */
interface Begun {
  readonly intake: Intake
  readonly flags: string
  readonly internalDate: number
  readonly announcedOctets: number
}

/** Of one command so much is held in memory: further messages are staged, however small (MULTIAPPEND has no end). */
const HELD_MAX_OCTETS = 4_194_304

const noRoom = { kind: 'no', code: 'UNAVAILABLE', why: 'there is no room just now' } as const
const noSuchUrl = { kind: 'no', why: 'there is nothing by that URL' } as const
const gone = { kind: 'no', code: 'EXPUNGEISSUED', why: 'the message to replace is gone' } as const

export class ImapAppend {
  readonly #access: Access
  #begun: Begun | undefined
  /** Those before it, whose octets have all come. */
  #whole: Appended[] = []
  /** Of all of them: as announced, or as they came. */
  #octets = 0
  /** Of the whole ones that are in memory. */
  #heldOctets = 0
  #limit: QuotaLimit | undefined

  constructor(access: Access) {
    this.#access = access
  }

  async begin({ account, message }: Extract<Question, { kind: 'append' }>): Promise<Answer> {
    const { store, world, quota, room: disk } = this.#access
    if (!(await this.#ended())) return noRoom
    const place = await placeOf(this.#access, account, message.mailbox)
    if (place === undefined) return notThere(message.mailbox)
    const denied = lacking(place, 'i')
    if (denied !== undefined) return denied
    const { ownerId, name, rights } = place
    if ((await store.read(folderStatus, { accountId: ownerId, name })) === undefined) {
      return notThere(message.mailbox)
    }
    const held = await store.read(quotaOf, ownerId)
    this.#limit = held && limitOf(held, quota())
    // Asked again by the transaction; here so that nobody sends for nothing.
    const messages = this.#whole.length + 1
    this.#octets += message.sizeOctets
    const more = { octets: this.#octets, messages }
    const room = held && this.#limit ? roomFor(this.#limit, held, more) : 'room'
    if (room !== 'room' && !message.replacing) return overQuota
    if (!(await disk.for(message.sizeOctets))) return noRoom
    this.#begun = {
      intake: new Intake(world.disk, undefined, this.#inlineUpToOctets(), disk),
      flags: [...allowed(message.flags, rights)].sort().join(' '),
      internalDate: message.internalDate ?? world.clock.now(),
      announcedOctets: message.sizeOctets,
    }
    return { kind: 'done' }
  }

  #inlineUpToOctets(): number | undefined {
    return this.#heldOctets < HELD_MAX_OCTETS ? this.#access.inlineUpToOctets() : 0
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    return this.#begun?.intake.push(octets, from, to)
  }

  /** What a URL names becomes the next octets of the message (RFC 4469). */
  async appendUrl({ account, url }: Extract<Question, { kind: 'append url' }>): Promise<Answer> {
    const named = await octetsBehind(this.#access, account, url)
    if (named === undefined) return noSuchUrl
    const { content, sizeOctets } = named
    const pieces = content instanceof Uint8Array ? [content] : content
    for await (const octets of pieces) await this.content(octets, 0, octets.length)
    return { kind: 'size', sizeOctets }
  }

  /**
   * Makes a body of the message that was begun, so that of many no more is held than of one; false where the disk has no
   * room for it.
   */
  async #ended(): Promise<boolean> {
    const begun = this.#begun
    const whole = this.#whole
    if (begun === undefined) return true
    this.#begun = undefined
    const { intake, flags, internalDate, announcedOctets } = begun
    try {
      const body = await intake.finish()
      intake.over()
      const { id, bodyKey } = this.#access.identify()
      const message = { messageId: id, bodyKey, body, internalDate, flags }
      if (whole !== this.#whole) {
        // Given up meanwhile: nobody waits for it.
        this.#forgetAll([message])
        return true
      }
      whole.push(message)
      // What a URL named was not announced.
      this.#octets += Math.max(0, intake.sizeOctets - announcedOctets)
      if (body instanceof Uint8Array) this.#heldOctets += body.length
      return true
    } catch (error) {
      intake.abandon()
      if (isFull(error)) return false
      throw error
    }
  }

  async commit({
    account,
    mailbox,
    replaces,
  }: Extract<Question, { kind: 'commit' }>): Promise<Answer> {
    if (!(await this.#ended())) {
      this.abandon()
      return noRoom
    }
    const messages = this.#whole
    const limit = this.#limit
    this.#anew()
    const { store } = this.#access
    const refused = (why: No): No => {
      this.#forgetAll(messages)
      return why
    }
    const place = await placeOf(this.#access, account, mailbox)
    const denied = lacking(place, 'i')
    if (place === undefined || denied) return refused(denied ?? notThere(mailbox))
    const { ownerId, name, rights } = place
    const input = { accountId: ownerId, mailbox: name, messages, ...(limit && { limit }) }
    const replaced = replaces && { mailboxId: replaces.key, uid: replaces.uid }
    try {
      const appended = await store.write(appendMessages, replaced ? { ...input, replaced } : input)
      if (appended.kind === 'missing') return refused(notThere(mailbox))
      if (appended.kind === 'gone') return refused(gone)
      if (appended.kind === 'full') return refused(overQuota)
      if (appended.kind === 'too many keywords') return refused(tooManyKeywords)
      for (const staged of appended.staged) this.#forget(staged)
      store.wake(mailTopic(ownerId))
      const { uidValidity, uids } = appended
      return { kind: 'appended', uidValidity, uids, ...untoldTo(rights) }
    } catch (error) {
      // Whether it was committed is not known for sure: what was staged is swept at the next start.
      if (isFull(error)) return noRoom
      throw error
    }
  }

  /** Nothing references these: whose rows were never made. */
  #forgetAll(messages: readonly Appended[]): void {
    for (const { body } of messages) if (!(body instanceof Uint8Array)) this.#forget(body.staged)
  }

  /** Nothing references it any more: if it cannot be removed now, the sweep does it. */
  #forget(name: string): void {
    const { world, log } = this.#access
    world.disk.remove(name).catch(error => log.warn('staged-not-removed', { name, error }))
  }

  abandon(): void {
    this.#begun?.intake.abandon()
    this.#forgetAll(this.#whole)
    this.#anew()
  }

  /** As before the first message of a command. */
  #anew(): void {
    this.#begun = undefined
    this.#whole = []
    this.#octets = 0
    this.#heldOctets = 0
  }
}
