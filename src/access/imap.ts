/**
 * The role that answers IMAP's questions (imap/server/question.ts) from the mailboxes: one for each
 * connection, made by the composer. Folders are answered here; what FETCH, APPEND and SEARCH ask has a
 * file of its own beside this one.
 */
import type { QuotaLimit } from '../account/quota.ts'
import { ALL_RIGHTS } from '../imap/right.ts'
import type { Answer, Changes, No, OpenedMailbox, Question } from '../imap/server/question.ts'
import type { Room } from '../limit/free-space.ts'
import {
  type FolderChanges,
  firstUnseen,
  folderChanges,
  folderSince,
  openFolder,
} from '../mailbox/change.ts'
import { allowed, changeFlags, KEYWORDS_MAX } from '../mailbox/flags.ts'
import { furnish, isFurnished } from '../mailbox/folder.ts'
import { claimRecent } from '../mailbox/recent.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { Identity } from '../queue/id.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import type { Endpoint, Role } from '../wire/effect.ts'
import { type Breath, breathOf } from '../world/breath.ts'
import type { Log } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { ImapAppend } from './imap-append.ts'
import { copyInto } from './imap-copy.ts'
import { expungeDoomed } from './imap-expunge.ts'
import { fetchMessages, stateOf } from './imap-fetch.ts'
import { answerFolder, mailboxIdOf, watchedMailboxes } from './imap-folder.ts'
import { answerMetadata } from './imap-metadata.ts'
import { broken, failedFor, noSuchMailbox, tooManyKeywords } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'
import { tellQuota } from './imap-quota.ts'
import { answerRights } from './imap-rights.ts'
import { searchMessages } from './imap-search.ts'
import { searchIn } from './imap-search-in.ts'
import { sortMessages, threadMessages } from './imap-sort.ts'
import { answerUrl } from './imap-url.ts'
import { rollsOf } from './rolls.ts'
import type { MailWatch } from './watch.ts'

export interface ImapAccess {
  readonly world: Pick<World, 'disk' | 'clock' | 'random'>
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
  /** Whether what is expunged is kept for a while (mailbox/kept.ts). */
  readonly keeps: () => boolean
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
const notAllowed: No = {
  kind: 'no',
  code: 'NOPERM',
  why: 'you have not the right to do that here',
}

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
  #unwatch: (() => void) | undefined
  /** Ends the watch over all mailboxes (NOTIFY). */
  #unwatchAll: (() => void) | undefined
  /** The open mailbox was opened as its owner's INBOX. */
  #inbox = false
  #ownerId = 0
  /** What may be done in it (RFC 4314). */
  #rights = ''
  /** Whether the client is told what is recent in it, and whether nobody is told so again. */
  #recent: 'claimed' | 'looked at' | undefined
  #gone = false
  readonly #isGone = () => this.#gone
  readonly #breath: Breath

  constructor(access: ImapAccess, remote: Endpoint, changed: () => void) {
    this.#access = access
    this.#breath = breathOf(access.world.clock)
    this.#remote = remote
    this.#changed = changed
    this.#append = new ImapAppend(access)
  }

  /** A command may ask a thousand times: where others wait, so does its next question. */
  ask(question: Question): Answer | Promise<Answer> {
    const rest = this.#breath.due()
    if (rest === undefined) return this.#answer(question)
    // Who has gone meanwhile watches nothing any more.
    return rest.then(() => (this.#gone ? broken : this.#answer(question)))
  }

  #answer(question: Question): Answer | Promise<Answer> {
    switch (question.kind) {
      case 'connect':
        return { kind: 'welcome' }
      case 'login':
        return this.#login(question)
      case 'mailboxes':
      case 'status':
      case 'create':
      case 'delete':
      case 'rename':
      case 'subscribe':
        return answerFolder(this.#access, question)
      case 'quota':
      case 'quota roots':
        return tellQuota(this.#access, question)
      case 'metadata':
      case 'annotate':
        return answerMetadata(this.#access, question)
      case 'rights':
      case 'acl':
      case 'set rights':
        return answerRights(this.#access, question)
      case 'watch':
        return this.#watchAll(question)
      case 'watched':
        return watchedMailboxes(this.#access, question.account)
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
        return this.#fetch(question)
      case 'store':
        return this.#store(question).then(answer => this.#told(answer, true))
      case 'copy':
        return this.#copy(question)
      case 'expunge':
        return this.#expunge(question)
      case 'search':
        return searchMessages(this.#access, question, this.#isGone)
      case 'search in':
        return searchIn(this.#access, question, this.#isGone)
      case 'sort':
        return sortMessages(this.#access, question, this.#isGone)
      case 'thread':
        return threadMessages(this.#access, question, this.#isGone)
      case 'append':
        return this.#append.begin(question)
      case 'sign url':
      case 'reset key':
      case 'fetch url':
        return answerUrl(this.#access, question)
      case 'append url':
        return this.#append.appendUrl(question)
      case 'commit':
        return this.#commit(question)
      case 'abandon':
        this.#append.abandon()
        return done
    }
  }

  failed(question: Question, error: unknown): Answer {
    this.#access.log.error('imap-question-failed', { question: question.kind, error })
    const no = failedFor(error)
    return question.kind === 'login' ? { kind: 'unavailable', why: no.why } : no
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    return this.#append.content(octets, from, to)
  }

  closed(): void {
    this.#gone = true
    this.#leave()
    this.#unwatchAll?.()
    this.#append.abandon()
  }

  /** Tells every session that has a mailbox of this owner open, on every node, that something happened. */
  #told(answer: Answer, changes: boolean): Answer {
    if (changes) this.#access.store.wake(mailTopic(this.#ownerId))
    return answer
  }

  async #login({ question, peer }: Extract<Question, { kind: 'login' }>): Promise<LoginAnswer> {
    const tls = peer.tls !== undefined
    const answer = await this.#access.login(question, { remote: this.#remote, tls })
    if (answer.kind !== 'account') return answer
    const { store, log } = this.#access
    const accountId = answer.account.id
    if (!(await store.read(isFurnished, accountId))) {
      // A store that cannot be written can be read: they are made at the next login.
      await store.write(furnish, { accountId, folders: USUAL_FOLDERS }).catch(error => {
        log.warn('imap.furnish', { error: String(error) })
      })
    }
    return answer
  }

  #watchAll({ account, on }: Extract<Question, { kind: 'watch' }>): Answer | Promise<Answer> {
    this.#unwatchAll?.()
    this.#unwatchAll = undefined
    if (!on) return done
    // First the ear, then the look: what happens between them is heard.
    this.#unwatchAll = this.#access.watch.watch(account.id, () => this.#changed())
    return watchedMailboxes(this.#access, account)
  }

  async #open(question: Extract<Question, { kind: 'open' }>): Promise<Answer> {
    const { account, mailbox } = question
    this.#leave()
    const place = await placeOf(this.#access, account, mailbox)
    const denied = lacking(place, 'r')
    if (place === undefined || denied || this.#gone) return denied ?? noSuchMailbox
    const { ownerId, name, rights } = place
    // First the ear, then the look: what happens between them is heard.
    this.#unwatch = this.#access.watch.watch(ownerId, () => this.#changed())
    const { store } = this.#access
    const found = await store.read(openFolder, { accountId: ownerId, name })
    const roll = found && (await rollsOf(this.#access).now(found.mailboxId, found.messages))
    if (found === undefined || roll === undefined) {
      this.#leave()
      return noSuchMailbox
    }
    const key = found.mailboxId
    // Where all is read, there is no need to look for what was not.
    const unseen =
      found.unseen === 0
        ? undefined
        : roll.whole
          ? roll.firstWithout('\\Seen')
          : await store.read(firstUnseen, key)
    // RFC 4314 §4: read-write is where something may be changed.
    const readOnly = question.readOnly || !/[iestw]/.test(rights)
    this.#recent = question.recent ? (readOnly ? 'looked at' : 'claimed') : undefined
    const recent = await this.#recentOf(key, found.recentFrom, roll.uidNext)
    const keywords = words(found.keywords)
    const opened: OpenedMailbox = {
      key,
      mailboxId: mailboxIdOf(key),
      uidValidity: found.uidValidity,
      uidNext: roll.uidNext,
      highestModSeq: roll.modSeq,
      uids: roll.uids.slice(),
      keywords,
      readOnly,
      ...(keywords.length >= KEYWORDS_MAX && { keywordsFull: true }),
      ...recent,
      ...(place.own ? {} : { rights }),
      ...(unseen === undefined ? {} : { firstUnseenUid: unseen }),
    }
    this.#inbox = name === 'INBOX'
    this.#ownerId = ownerId
    this.#rights = rights
    return { kind: 'opened', mailbox: opened }
  }

  /** From which UID on this session is the first to be told (RFC 3501 §2.3.2). */
  async #recentOf(
    mailboxId: number,
    recentFrom: number,
    uidNext: number,
  ): Promise<Pick<OpenedMailbox, 'recentFrom'>> {
    if (this.#recent === undefined || recentFrom >= uidNext) return {}
    if (this.#recent === 'looked at') return { recentFrom }
    try {
      const claimed = await this.#access.store.write(claimRecent, { mailboxId, uidNext })
      return claimed === undefined ? {} : { recentFrom: claimed }
    } catch (error) {
      // A store that cannot be written can be read: better recent twice than never.
      this.#access.log.debug('imap.recent', { error: String(error) })
      return { recentFrom }
    }
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
    const fresh = found.uidNext > uidNext
    const recent = fresh ? await this.#recentOf(key, found.recentFrom, found.uidNext) : {}
    return { kind: 'changes', changes: { ...changesOf(found), ...recent } }
  }

  async #since(key: number, modSeq: number): Promise<Answer> {
    const found = await this.#access.store.read(folderSince, { mailboxId: key, modSeq })
    return found === undefined ? noSuchMailbox : { kind: 'changes', changes: changesOf(found) }
  }

  #fetch(question: Extract<Question, { kind: 'fetch' }>): Promise<Answer> {
    const markSeen = question.markSeen && this.#rights.includes('s')
    return fetchMessages(this.#access, { ...question, markSeen }, this.#breath).then(answer =>
      this.#told(answer, markSeen),
    )
  }

  #expunge(question: Extract<Question, { kind: 'expunge' }>): Answer | Promise<Answer> {
    if (!this.#rights.includes('e')) return notAllowed
    return expungeDoomed(this.#access, question).then(answer => this.#told(answer, true))
  }

  async #store(question: Extract<Question, { kind: 'store' }>): Promise<Answer> {
    const { key, uids, mode, flags, unchangedSince } = question
    const rights = this.#rights === ALL_RIGHTS ? undefined : this.#rights
    // RFC 4314 §4: what may be changed of it is; where nothing may, it is refused.
    if (!/[stw]/.test(this.#rights) || (flags.length > 0 && allowed(flags, rights).length === 0)) {
      return notAllowed
    }
    const changed = await this.#access.store.write(changeFlags, {
      mailboxId: key,
      uids,
      mode,
      flags,
      ...(rights && { rights }),
      ...(unchangedSince === undefined ? {} : { unchangedSince }),
    })
    switch (changed.kind) {
      case 'missing':
        return noSuchMailbox
      case 'too many keywords':
        return tooManyKeywords
      case 'changed':
        return { kind: 'stored', stored: changed.rows.map(stateOf), modified: changed.modified }
    }
  }

  #commit(question: Extract<Question, { kind: 'commit' }>): Answer | Promise<Answer> {
    const replaces = question.replaces !== undefined
    // RFC 8508 §4.1: who replaces takes away.
    if (replaces && !this.#mayTakeAway()) {
      this.#append.abandon()
      return notAllowed
    }
    return this.#append.commit(question).then(answer => this.#told(answer, replaces))
  }

  /** RFC 4314 §4: what MOVE and REPLACE want where the message was. */
  #mayTakeAway(): boolean {
    return this.#rights.includes('e') && this.#rights.includes('t')
  }

  async #copy(question: Extract<Question, { kind: 'copy' }>): Promise<Answer> {
    // RFC 6851 §4.4: who moves takes away.
    if (question.move && !this.#mayTakeAway()) return notAllowed
    const answer = await copyInto(this.#access, question, this.#ownerId)
    return this.#told(answer, question.move && answer.kind === 'copied')
  }
}

function changesOf(changes: FolderChanges): Changes {
  const { modSeq, uidNext, present, vanished, forgotten, more } = changes
  const told = { highestModSeq: modSeq, uidNext, present: present.map(stateOf), vanished, more }
  return forgotten ? { ...told, forgotten } : told
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}
