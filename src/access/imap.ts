/**
 * The role that answers IMAP's questions (imap/server/question.ts) from the mailboxes: one for each
 * connection, made by the composer. Folders are answered here; what FETCH, APPEND and SEARCH ask has a
 * file of its own beside this one.
 */
import type { QuotaLimit } from '../account/quota.ts'
import type { Answer, Changes, No, OpenedMailbox, Question } from '../imap/server/question.ts'
import type { Room } from '../limit/free-space.ts'
import { type FolderChanges, folderChanges, folderSince, openFolder } from '../mailbox/change.ts'
import { copyMessages } from '../mailbox/copy.ts'
import { changeFlags } from '../mailbox/flags.ts'
import {
  createFolder,
  deleteFolder,
  doomedOctets,
  folderStatus,
  foldersOf,
  furnish,
  isFurnished,
  renameFolder,
  subscribe,
  subscriptionsOf,
} from '../mailbox/folder.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { Identity } from '../queue/id.ts'
import type { Account, LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import type { Endpoint, Role } from '../wire/effect.ts'
import { Breath } from '../world/breath.ts'
import type { Log } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { ImapAppend } from './imap-append.ts'
import { clearFolder, expungeDoomed } from './imap-expunge.ts'
import { fetchMessages, stateOf } from './imap-fetch.ts'
import { limitFor, overQuota, tellQuota } from './imap-quota.ts'
import { searchMessages } from './imap-search.ts'
import { sortMessages, threadMessages } from './imap-sort.ts'
import type { MailWatch } from './watch.ts'

export interface ImapAccess {
  readonly world: Pick<World, 'disk' | 'clock'>
  readonly store: Store
  readonly login: (
    question: LoginQuestion,
    peer: { readonly remote: Endpoint; readonly tls: boolean },
  ) => LoginAnswer | Promise<LoginAnswer>
  /** One for all sessions of the process. */
  readonly watch: MailWatch
  readonly identify: () => Identity
  /** A body up to this goes into its row (bodies.inlineUpTo). */
  readonly inlineUpToOctets: () => number | undefined
  /** What an account may hold that has no limit of its own. */
  readonly quota: () => QuotaLimit
  readonly room: Room
  readonly log: Log
}

/** What an account has from its first login on (RFC 6154). */
const USUAL_FOLDERS = [
  { name: 'Drafts', specialUse: '\\Drafts' },
  { name: 'Sent', specialUse: '\\Sent' },
  { name: 'Junk', specialUse: '\\Junk' },
  { name: 'Trash', specialUse: '\\Trash' },
  { name: 'Archive', specialUse: '\\Archive' },
]

const done = { kind: 'done' } as const

export const noSuchMailbox: No = {
  kind: 'no',
  code: 'NONEXISTENT',
  why: 'there is no such mailbox',
}
const tryCreate: No = { kind: 'no', code: 'TRYCREATE', why: 'there is no such mailbox' }
const broken: No = { kind: 'no', code: 'SERVERBUG', why: 'something went wrong here, try again' }

/** The role of one connection. `changed` is told when something may have happened in the open mailbox. */
export function imapRole(
  access: ImapAccess,
  endpoints: { readonly remote: Endpoint; readonly local: Endpoint },
  changed: () => void,
): Role<Question, Answer> {
  return new ImapRole(access, endpoints.remote, changed)
}

class ImapRole implements Role<Question, Answer> {
  readonly #access: ImapAccess
  readonly #remote: Endpoint
  readonly #changed: () => void
  readonly #append: ImapAppend
  #account: Account | undefined
  #unwatch: (() => void) | undefined
  /** The open mailbox was opened as INBOX. */
  #inbox = false
  #gone = false
  readonly #isGone = () => this.#gone
  readonly #breath: Breath

  constructor(access: ImapAccess, remote: Endpoint, changed: () => void) {
    this.#access = access
    this.#breath = new Breath(access.world.clock)
    this.#remote = remote
    this.#changed = changed
    this.#append = new ImapAppend(access)
  }

  ask(question: Question): Answer | Promise<Answer> {
    const { store } = this.#access
    switch (question.kind) {
      case 'connect':
        return { kind: 'welcome' }
      case 'login':
        return this.#login(question)
      case 'mailboxes':
        return this.#mailboxes(question.account)
      case 'status':
        return this.#status(question)
      case 'quota':
      case 'quota roots':
        return tellQuota(this.#access, question)
      case 'create':
        return this.#create(question)
      case 'delete':
        return this.#delete(question)
      case 'rename':
        return this.#rename(question)
      case 'subscribe':
        return store
          .write(subscribe, named(question.account, question.mailbox, { on: question.on }))
          .then(() => done)
      case 'open':
        return this.#open(question)
      case 'leave':
        this.#leave()
        return done
      case 'changes':
        return this.#changes(question)
      case 'since':
        return this.#since(question.key, question.modSeq)
      case 'fetch':
        return fetchMessages(this.#access, question, this.#breath).then(answer =>
          this.#told(answer, question.markSeen),
        )
      case 'store':
        return this.#store(question).then(answer => this.#told(answer, true))
      case 'copy':
        return this.#copy(question).then(answer => this.#told(answer, true))
      case 'expunge':
        return expungeDoomed(this.#access, question).then(answer => this.#told(answer, true))
      case 'search':
        return searchMessages(this.#access, question, this.#isGone)
      case 'sort':
        return sortMessages(this.#access, question, this.#isGone)
      case 'thread':
        return threadMessages(this.#access, question, this.#isGone)
      case 'append':
        return this.#append.begin(question)
      case 'commit':
        return this.#append.commit(question).then(answer => this.#told(answer, true))
      case 'abandon':
        this.#append.abandon()
        return done
    }
  }

  failed(question: Question, error: unknown): Answer {
    this.#access.log.error('imap-question-failed', { question: question.kind, error })
    if (question.kind === 'login') return { kind: 'unavailable', why: broken.why }
    return broken
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    return this.#append.content(octets, from, to)
  }

  closed(): void {
    this.#gone = true
    this.#leave()
    this.#append.abandon()
  }

  /** Tells every session of the account, on every node, that something happened. */
  #told(answer: Answer, changes: boolean): Answer {
    if (changes && this.#account !== undefined) {
      this.#access.store.wake(mailTopic(this.#account.id))
    }
    return answer
  }

  async #login({ question, peer }: Extract<Question, { kind: 'login' }>): Promise<LoginAnswer> {
    const tls = peer.tls !== undefined
    const answer = await this.#access.login(question, { remote: this.#remote, tls })
    if (answer.kind !== 'account') return answer
    const { store } = this.#access
    this.#account = answer.account
    if (!(await store.read(isFurnished, answer.account.id))) {
      await store.write(furnish, { accountId: answer.account.id, folders: USUAL_FOLDERS })
    }
    return answer
  }

  async #mailboxes(account: Account): Promise<Answer> {
    const { store } = this.#access
    const [folders, names] = await Promise.all([
      store.read(foldersOf, account.id),
      store.read(subscriptionsOf, account.id),
    ])
    const subscribed = new Set(names)
    const known = new Set(folders.map(({ name }) => name))
    return {
      kind: 'mailboxes',
      mailboxes: [
        ...folders.map(({ name, specialUse }) => ({
          name,
          exists: true,
          subscribed: subscribed.has(name),
          specialUse: specialUse === '' ? [] : [specialUse],
        })),
        ...names
          .filter(name => !known.has(name))
          .map(name => ({ name, exists: false, subscribed: true, specialUse: [] })),
      ],
    }
  }

  async #status(question: Extract<Question, { kind: 'status' }>): Promise<Answer> {
    const { store } = this.#access
    const { account, mailbox, deletedOctets } = question
    const found = await store.read(folderStatus, named(account, mailbox))
    if (found === undefined) return noSuchMailbox
    const counted = deletedOctets === true && found.doomed > 0
    const { uidNext, uidValidity, messages, unseen, doomed, sizeOctets, modSeq } = found
    return {
      kind: 'status',
      status: {
        messages,
        uidNext,
        uidValidity,
        unseen,
        deleted: doomed,
        deletedOctets: counted ? await store.read(doomedOctets, found.mailboxId) : 0,
        sizeOctets,
        highestModSeq: modSeq,
        mailboxId: mailboxIdOf(found.mailboxId),
      },
    }
  }

  async #create(question: Extract<Question, { kind: 'create' }>): Promise<Answer> {
    const { store } = this.#access
    const folder = named(question.account, question.mailbox)
    const specialUse = question.specialUse[0] ?? ''
    switch (await store.write(createFolder, { ...folder, specialUse })) {
      case 'exists':
        return { kind: 'no', code: 'ALREADYEXISTS', why: 'the mailbox is there already' }
      case 'too many':
        return { kind: 'no', code: 'LIMIT', why: 'the account has too many mailboxes' }
      case 'special use taken':
        return { kind: 'no', code: 'USEATTR', why: 'another mailbox has this special use' }
      case 'missing':
        return broken
      case 'done':
        break
    }
    const made = await store.read(folderStatus, folder)
    return { kind: 'created', mailboxId: mailboxIdOf(made?.mailboxId ?? 0) }
  }

  async #delete(question: Extract<Question, { kind: 'delete' }>): Promise<Answer> {
    const folder = named(question.account, question.mailbox)
    const { mailboxId } = await this.#access.store.write(deleteFolder, folder)
    if (mailboxId === undefined) return noSuchMailbox
    // Its name is gone, durably; that its messages go too need not be waited for.
    void clearFolder(this.#access, mailboxId)
    this.#told(done, true)
    return done
  }

  async #rename(question: Extract<Question, { kind: 'rename' }>): Promise<Answer> {
    const folder = named(question.account, question.mailbox, { to: question.to })
    const changed = await this.#access.store.write(renameFolder, folder)
    if (changed === 'done') return this.#told(done, true)
    if (changed === 'exists') {
      return { kind: 'no', code: 'ALREADYEXISTS', why: 'a mailbox has that name already' }
    }
    return noSuchMailbox
  }

  async #open(question: Extract<Question, { kind: 'open' }>): Promise<Answer> {
    const { account, mailbox, readOnly } = question
    this.#leave()
    // First the ear, then the look: what happens between them is heard.
    this.#unwatch = this.#access.watch.watch(account.id, this.#changed)
    const found = await this.#access.store.read(openFolder, named(account, mailbox))
    if (found === undefined) {
      this.#leave()
      return noSuchMailbox
    }
    const opened: OpenedMailbox = {
      key: found.mailboxId,
      mailboxId: mailboxIdOf(found.mailboxId),
      uidValidity: found.uidValidity,
      uidNext: found.uidNext,
      highestModSeq: found.modSeq,
      uids: found.uids,
      keywords: words(found.keywords),
      readOnly,
      ...(found.firstUnseenUid === null ? {} : { firstUnseenUid: found.firstUnseenUid }),
    }
    this.#inbox = mailbox === 'INBOX'
    return { kind: 'opened', mailbox: opened }
  }

  #leave(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  async #changes(question: Extract<Question, { kind: 'changes' }>): Promise<Answer> {
    const { key, sinceModSeq, uidNext } = question
    const found = await this.#access.store.read(folderChanges, {
      mailboxId: key,
      sinceModSeq,
      uidNext,
    })
    // Its messages went to another name, and INBOX is another mailbox by now (RFC 9051 §6.3.6).
    if (found === undefined || (this.#inbox && found.name !== 'INBOX')) return noSuchMailbox
    return { kind: 'changes', changes: changesOf(found) }
  }

  async #since(key: number, modSeq: number): Promise<Answer> {
    const found = await this.#access.store.read(folderSince, { mailboxId: key, modSeq })
    return found === undefined ? noSuchMailbox : { kind: 'changes', changes: changesOf(found) }
  }

  async #store(question: Extract<Question, { kind: 'store' }>): Promise<Answer> {
    const { key, uids, mode, flags, unchangedSince } = question
    const changed = await this.#access.store.write(changeFlags, {
      mailboxId: key,
      uids,
      mode,
      flags,
      ...(unchangedSince === undefined ? {} : { unchangedSince }),
    })
    switch (changed.kind) {
      case 'missing':
        return noSuchMailbox
      case 'too many keywords':
        return { kind: 'no', code: 'LIMIT', why: 'the mailbox has too many keywords' }
      case 'changed':
        return { kind: 'stored', stored: changed.rows.map(stateOf), modified: changed.modified }
    }
  }

  async #copy(question: Extract<Question, { kind: 'copy' }>): Promise<Answer> {
    const { account, key, uids, mailbox, move } = question
    // What is moved within an account is held already.
    const limit = move ? undefined : await limitFor(this.#access, account.id)
    const copied = await this.#access.store.write(copyMessages, {
      accountId: account.id,
      mailboxId: key,
      uids,
      to: mailbox,
      move,
      ...(limit && { limit }),
    })
    if (copied.kind === 'full') return overQuota
    return copied.kind === 'missing' ? tryCreate : copied
  }
}

function named<More extends object>(account: Account, name: string, more?: More) {
  return { accountId: account.id, name, ...(more as More) }
}

function changesOf({ modSeq, uidNext, present, vanished, forgotten }: FolderChanges): Changes {
  const told = { highestModSeq: modSeq, uidNext, present: present.map(stateOf), vanished }
  return forgotten ? { ...told, forgotten } : told
}

/** MAILBOXID (RFC 8474 §5.1). */
function mailboxIdOf(key: number): string {
  return `F${key}`
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}
