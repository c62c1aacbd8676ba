/**
 * The role that answers POP3's questions (pop3/server/question.ts) from the mailboxes: a login by the
 * function it is given, the account's INBOX as its maildrop, content streamed from the store, and
 * deletions made durable before their answer. One is made for each connection by the composer.
 */

import { begun, content } from '../mailbox/content.ts'
import { expunge } from '../mailbox/expunge.ts'
import type { MaildropLock, MaildropLocking } from '../mailbox/lock.ts'
import { MessageOctets } from '../mailbox/octets.ts'
import { openMailbox, openSmallMailbox, type StoredMessage } from '../mailbox/reader.ts'
import type {
  Answer,
  CommitAnswer,
  OpenAnswer,
  Question,
  Refused,
  RetrieveAnswer,
} from '../pop3/server/question.ts'
import type { Account, LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import type { Endpoint, Role } from '../wire/effect.ts'
import { placeOf } from '../world/disk-places.ts'
import type { Log } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { isPlainAtOnce, plainMessage } from './downgrade.ts'
import { MessageContent } from './imap-content.ts'
import { ReadAhead } from './pop3-ahead.ts'

export interface Pop3Access {
  readonly world: Pick<World, 'disk' | 'clock'>
  readonly store: Store
  readonly login: (
    question: LoginQuestion,
    peer: { readonly remote: Endpoint; readonly tls: boolean },
  ) => LoginAnswer | Promise<LoginAnswer>
  /** One for all sessions of the process; it knows of other nodes if there are any. */
  readonly maildropLocks: MaildropLocking
  /** Whether what is removed is kept for a while (mailbox/kept.ts). */
  readonly keeps: () => boolean
  readonly log: Log
}

const broken: Refused = {
  kind: 'refused',
  code: 'SYS/TEMP',
  why: 'something went wrong here, try again later',
}

/** Nothing was removed; what was marked is there the next time (RFC 1939 §6). */
const lockLost: Refused = {
  kind: 'refused',
  code: 'SYS/TEMP',
  why: 'the maildrop was out of our hands for a while, nothing was removed; try again',
}

/** The role of one connection. */
export function pop3Role(
  access: Pop3Access,
  endpoints: { readonly remote: Endpoint; readonly local: Endpoint },
): Role<Question, Answer> {
  return new Pop3Role(access, endpoints.remote)
}

class Pop3Role implements Role<Question, Answer> {
  readonly #access: Pop3Access
  readonly #remote: Endpoint
  #mailboxId = 0
  #ahead: ReadAhead | undefined
  #lock: MaildropLock | undefined
  #closed = false
  /** While deletions are made good the lock is held, even if the client has gone meanwhile. */
  #committing = false

  constructor(access: Pop3Access, remote: Endpoint) {
    this.#access = access
    this.#remote = remote
  }

  ask(question: Question): Answer | Promise<Answer> {
    switch (question.kind) {
      case 'connect':
        return { kind: 'welcome' }
      case 'login': {
        const tls = question.peer.tls !== undefined
        return this.#access.login(question.question, { remote: this.#remote, tls })
      }
      case 'open':
        return this.#open(question.account)
      case 'retrieve':
        return this.#retrieve(question.uid, question.utf8)
      case 'commit':
        return this.#commit(question.uids)
    }
  }

  failed(question: Question, error: unknown): Answer {
    this.#access.log.error('pop3-question-failed', { question: question.kind, error })
    if (question.kind === 'login') return { kind: 'unavailable', why: broken.why }
    return broken
  }

  closed(): void {
    this.#closed = true
    if (!this.#committing) void this.#release()
  }

  async #open(account: Account): Promise<OpenAnswer> {
    const { log, maildropLocks, store, world } = this.#access
    const taken = maildropLocks.acquire(account.id)
    this.#lock = taken instanceof Promise ? await taken : taken
    if (this.#lock === undefined) return { kind: 'inUse' }
    try {
      const name = { accountId: account.id, name: 'INBOX' }
      const small = await store.read(openSmallMailbox, name)
      const mailbox = small === 'large' ? await store.read(openMailbox, name) : small
      // The peer may have gone while we read: then nobody else would free the lock.
      if (this.#closed) await this.#release()
      this.#mailboxId = mailbox?.mailboxId ?? 0
      const listing = mailbox ?? { uidValidity: 1, uids: [], sizes: [] }
      this.#ahead = new ReadAhead(store, world.clock, this.#mailboxId, listing)
      const count = mailbox?.uids.length ?? 0
      log.info('pop3-open', { account: account.address, messages: count })
      return { kind: 'opened', listing }
    } catch (error) {
      // Not opened: the client may try again on this very connection.
      await this.#release()
      throw error
    }
  }

  #retrieve(uid: number, utf8: boolean): RetrieveAnswer | Promise<RetrieveAnswer> {
    const message = this.#ahead?.take(uid)
    return message instanceof Promise
      ? message.then(found => this.#contentOf(found, utf8))
      : this.#contentOf(message, utf8)
  }

  #contentOf(
    message: StoredMessage | undefined,
    utf8: boolean,
  ): RetrieveAnswer | Promise<RetrieveAnswer> {
    if (message === undefined) return { kind: 'gone' }
    const { store, world } = this.#access
    const octets = new MessageOctets(message, { store, disk: world.disk })
    if (utf8 || isPlainAtOnce(octets)) return this.#asItIs(message)
    return plainMessage(new MessageContent(octets)).then(plain =>
      plain === undefined ? this.#asItIs(message) : { ...plain, kind: 'content' },
    )
  }

  #asItIs(message: StoredMessage): RetrieveAnswer | Promise<RetrieveAnswer> {
    const { store, world } = this.#access
    const { sizeOctets, body } = message
    const source = content(store, world.disk, message)
    const near = body.staged === null || placeOf(body.staged) === 'directory'
    if (near || source instanceof Uint8Array)
      return { kind: 'content', sizeOctets, content: source }
    return begun(source).then(begins => ({ kind: 'content', sizeOctets, content: begins }))
  }

  async #commit(uids: readonly number[]): Promise<CommitAnswer> {
    const { log, store, world, keeps } = this.#access
    if (uids.length === 0) {
      await this.#release()
      return { kind: 'committed' }
    }
    const staged: string[] = []
    this.#committing = true
    try {
      const held = this.#lock?.held()
      // A lease that ended while we could not renew it: another session may list these messages now.
      if (!(held instanceof Promise ? await held : held)) return lockLost
      await expunge(store, this.#mailboxId, uids, names => staged.push(...names), keeps())
      log.info('pop3-expunged', { mailboxId: this.#mailboxId, messages: uids.length })
      return { kind: 'committed' }
    } finally {
      this.#committing = false
      await this.#release()
      for (const name of staged) {
        // Nothing references it any more: if it cannot be removed now, the sweep at start does it.
        world.disk.remove(name).catch(error => log.warn('staged-not-removed', { name, error }))
      }
    }
  }

  async #release(): Promise<void> {
    const lock = this.#lock
    this.#lock = undefined
    await lock?.release()
  }
}
