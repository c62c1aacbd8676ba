/**
 * APPEND (RFC 9051 §6.3.12, RFC 3502): the octets of each message are taken in as they come, and all messages
 * of a command are put into the mailbox by one transaction. What was begun and not committed is given up.
 */
import { limitOf, type QuotaLimit, roomFor } from '../account/quota.ts'
import type { Answer, Question } from '../imap/server/question.ts'
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

interface Begun {
  readonly intake: Intake
  readonly flags: string
  readonly internalDate: number
}

const noRoom = { kind: 'no', code: 'UNAVAILABLE', why: 'there is no room just now' } as const
const noSuchUrl = { kind: 'no', why: 'there is nothing by that URL' } as const
const gone = { kind: 'no', code: 'EXPUNGEISSUED', why: 'the message to replace is gone' } as const

export class ImapAppend {
  readonly #access: Access
  #begun: Begun[] = []
  /** Of messages begun. */
  #octets = 0
  #limit: QuotaLimit | undefined

  constructor(access: Access) {
    this.#access = access
  }

  async begin({ account, message }: Extract<Question, { kind: 'append' }>): Promise<Answer> {
    const { store, world, inlineUpToOctets, quota, room: disk } = this.#access
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
    const messages = this.#begun.length + 1
    this.#octets += message.sizeOctets
    const more = { octets: this.#octets, messages }
    const room = held && this.#limit ? roomFor(this.#limit, held, more) : 'room'
    if (room !== 'room' && !message.replacing) return overQuota
    if (!(await disk.for(message.sizeOctets))) return noRoom
    this.#begun.push({
      intake: new Intake(world.disk, undefined, inlineUpToOctets(), disk),
      flags: [...allowed(message.flags, rights)].sort().join(' '),
      internalDate: message.internalDate ?? world.clock.now(),
    })
    return { kind: 'done' }
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    return this.#begun.at(-1)?.intake.push(octets, from, to)
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

  async commit({
    account,
    mailbox,
    replaces,
  }: Extract<Question, { kind: 'commit' }>): Promise<Answer> {
    const begun = this.#begun
    this.#begun = []
    this.#octets = 0
    try {
      const messages: Appended[] = []
      for (const { intake, flags, internalDate } of begun) {
        const { id, bodyKey } = this.#access.identify()
        const body = await intake.finish()
        messages.push({ messageId: id, bodyKey, body, internalDate, flags })
      }
      const { store } = this.#access
      const place = await placeOf(this.#access, account, mailbox)
      const denied = lacking(place, 'i')
      if (place === undefined || denied) {
        for (const { intake } of begun) intake.abandon()
        return denied ?? notThere(mailbox)
      }
      const { ownerId, name, rights } = place
      const limit = this.#limit
      const input = { accountId: ownerId, mailbox: name, messages, ...(limit && { limit }) }
      const replaced = replaces && { mailboxId: replaces.key, uid: replaces.uid }
      const appended = await store.write(appendMessages, replaced ? { ...input, replaced } : input)
      // What was staged and is named by no row is swept.
      if (appended.kind === 'missing') return notThere(mailbox)
      if (appended.kind === 'gone') return gone
      if (appended.kind === 'full') return overQuota
      if (appended.kind === 'too many keywords') return tooManyKeywords
      for (const staged of appended.staged) this.#forget(staged)
      store.wake(mailTopic(ownerId))
      const { uidValidity, uids } = appended
      return { kind: 'appended', uidValidity, uids, ...untoldTo(rights) }
    } catch (error) {
      for (const { intake } of begun) intake.abandon()
      if (isFull(error)) return noRoom
      throw error
    }
  }

  /** Nothing references it any more: if it cannot be removed now, the sweep does it. */
  #forget(name: string): void {
    const { world, log } = this.#access
    world.disk.remove(name).catch(error => log.warn('staged-not-removed', { name, error }))
  }

  abandon(): void {
    for (const { intake } of this.#begun) intake.abandon()
    this.#begun = []
    this.#octets = 0
  }
}
