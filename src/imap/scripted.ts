/**
 * Policy for the tests of this room: mailboxes in memory, and everything known at once. It is the smallest
 * thing that is right, so that it serves as the reference model too. Never used by the server.
 */
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { type ExtraQuestion, ScriptedExtras } from './scripted-extras.ts'
import {
  change,
  changesOf,
  openedOf,
  ordered,
  recentOf,
  type ScriptedMailbox,
  searched,
  searchedAlone,
  statusOf,
} from './scripted-mailbox.ts'
import { fetched, type ScriptedMessage } from './scripted-message.ts'
import type { Answer, No, Question, SessionSettings } from './server/question.ts'
import type { ImapUrl } from './url.ts'

export const settings: SessionSettings = {
  hostname: 'mail.example.org',
  implementation: 'Postrider',
  version: '1',
  startTls: true,
  plaintextAuth: true,
  mechanisms: ['PLAIN', 'LOGIN'],
  appendMaxOctets: 1000,
  messagesMax: 0,
  savesMax: 0,
  loginTimeoutMs: 60_000,
  idleTimeoutMs: 1_800_000,
  errorsMax: 10,
  loginFailuresMax: 3,
  chance: count => new Uint8Array(count),
}

const nothing: No = { kind: 'no', code: 'NONEXISTENT', why: 'there is no such mailbox' }
const done = { kind: 'done' } as const

/** What is asked of one mailbox. */
type MailboxQuestion = Exclude<
  Exclude<Question, ExtraQuestion>,
  {
    readonly kind:
      | 'connect'
      | 'login'
      | 'mailboxes'
      | 'create'
      | 'delete'
      | 'append'
      | 'append url'
      | 'abandon'
      | 'leave'
      | 'watch'
      | 'watched'
  }
>

/** A mailbox that copies itself would grow without end. */
const COPIED_MAX = 300

/** joe's password is `secret`; he has INBOX and whatever was put beside it. */
export class Scripted {
  readonly mailboxes: ScriptedMailbox[] = []
  /** Kinds of question that are answered by a No, with its code. */
  readonly refusals = new Map<string, No>()
  readonly #extras = new ScriptedExtras()
  /** Subscribed, and no mailbox. */
  readonly #orphans = new Set<string>()
  #appended: { flags: readonly string[]; date: number; octets: Buffer }[] = []

  constructor() {
    this.add('INBOX')
  }

  add(name: string): ScriptedMailbox {
    const key = this.mailboxes.length + 1
    const specialUse = name === 'Sent' ? ['\\Sent'] : []
    const numbers = { key, uidNext: 1, modSeq: 1 }
    const made = { ...numbers, name, subscribed: false, specialUse, messages: [], vanished: [] }
    this.mailboxes.push(made)
    return made
  }

  deliver(name: string, octets: string | Buffer, flags: readonly string[] = [], date = 0): number {
    const box = this.#named(name)
    if (box === undefined) throw new Error(`no mailbox ${name}`)
    const uid = box.uidNext++
    const modSeq = ++box.modSeq
    box.messages.push({
      uid,
      modSeq,
      date,
      flags: [...flags].sort(),
      octets: typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets,
    })
    return uid
  }

  expunge(name: string, uid: number): void {
    const box = this.#named(name)
    if (box !== undefined) this.#remove(box, message => message.uid === uid)
  }

  content(octets: Uint8Array, from: number, to: number): void {
    const last = this.#appended.at(-1)
    if (last) last.octets = Buffer.concat([last.octets, octets.subarray(from, to)])
  }

  answer(question: Question): Answer {
    const refusal = this.refusals.get(question.kind)
    if (refusal !== undefined) return refusal
    switch (question.kind) {
      case 'connect':
        return { kind: 'welcome' }
      case 'login':
        return login(question.question)
      case 'mailboxes':
        return this.#listed()
      case 'create': {
        if (this.#named(question.mailbox)) {
          return { kind: 'no', code: 'ALREADYEXISTS', why: 'it is there' }
        }
        const [use] = question.specialUse
        if (use !== undefined && this.mailboxes.some(box => box.specialUse.includes(use))) {
          return { kind: 'no', code: 'USEATTR', why: 'another has it' }
        }
        const made = this.add(question.mailbox)
        if (use !== undefined) made.specialUse = [use]
        return { kind: 'created', mailboxId: `F${made.key}` }
      }
      case 'delete': {
        const at = this.mailboxes.findIndex(({ name }) => name === question.mailbox)
        if (at < 0) return nothing
        const [gone] = this.mailboxes.splice(at, 1)
        if (gone?.subscribed) this.#orphans.add(gone.name)
        return done
      }
      case 'append':
        if (!this.#named(question.message.mailbox)) return { ...nothing, code: 'TRYCREATE' }
        this.#appended.push({
          flags: question.message.flags,
          date: question.message.internalDate ?? 0,
          octets: Buffer.alloc(0),
        })
        return done
      case 'append url':
        return this.#appendUrl(question.url)
      case 'abandon':
        this.#appended = []
        return done
      case 'leave':
        return done
      case 'watch':
      case 'watched':
        return {
          kind: 'watched',
          mailboxes: this.mailboxes.map(box => ({
            ...statusOf(box),
            name: box.name,
            subscribed: box.subscribed,
          })),
        }
      case 'quota':
      case 'quota roots':
      case 'metadata':
      case 'annotate':
      case 'rights':
      case 'acl':
      case 'set rights':
      case 'sign url':
      case 'reset key':
      case 'fetch url':
        return this.#extras.answer(question, name => this.#named(name) !== undefined)
      default:
        return this.#withMailbox(question)
    }
  }

  #withMailbox(question: MailboxQuestion): Answer {
    const box =
      'key' in question
        ? this.mailboxes.find(({ key }) => key === question.key)
        : this.#named(question.mailbox)
    if (box === undefined) return nothing
    switch (question.kind) {
      case 'search in':
        return searchedAlone(box, question.wanted)
      case 'status':
        return { kind: 'status', status: statusOf(box) }
      case 'rename':
        box.name = question.to
        return done
      case 'subscribe':
        box.subscribed = question.on
        return done
      case 'open':
        return { kind: 'opened', mailbox: openedOf(box, question) }
      case 'changes':
        return {
          kind: 'changes',
          changes: { ...changesOf(box, question.sinceModSeq), ...recentOf(box) },
        }
      case 'since':
        return { kind: 'changes', changes: changesOf(box, question.modSeq) }
      case 'fetch': {
        const messages = box.messages.filter(({ uid }) => question.uids.includes(uid))
        const changed = new Set<number>()
        for (const message of messages) {
          if (!question.markSeen || message.flags.includes('\\Seen')) continue
          change(box, message, [...message.flags, '\\Seen'])
          changed.add(message.uid)
        }
        return {
          kind: 'fetched',
          messages: messages.map(message =>
            fetched(message, question.wish, changed.has(message.uid)),
          ),
        }
      }
      case 'store':
        return this.#store(box, question)
      case 'copy':
        return this.#copy(box, question)
      case 'expunge': {
        const { uids } = question
        this.#remove(
          box,
          ({ uid, flags }) => flags.includes('\\Deleted') && (uids?.includes(uid) ?? true),
        )
        return { kind: 'expunged' }
      }
      case 'search': {
        const found = searched(box, question.search)
        return {
          kind: 'found',
          uids: found.map(({ uid }) => uid),
          modSeqs: found.map(({ modSeq }) => modSeq),
        }
      }
      case 'sort':
      case 'thread':
        return ordered(box, question)
      case 'commit':
        return this.#commit(box, question)
    }
  }

  #appendUrl({ mailbox, uid, section, partial }: ImapUrl): Answer {
    const message = this.#named(mailbox)?.messages.find(each => each.uid === uid)
    if (message === undefined) return nothing
    const wish = { section, as: 'octets', ...(partial && { partial }) } as const
    const [part] = fetched(message, { sections: [wish], utf8: false }, false).sections
    if (part?.kind !== 'octets') return nothing
    const octets = part.content as Uint8Array
    this.content(octets, 0, octets.length)
    return { kind: 'size', sizeOctets: octets.length }
  }

  #listed(): Answer {
    return {
      kind: 'mailboxes',
      mailboxes: [
        ...this.mailboxes.map(({ name, subscribed, specialUse }) => ({
          name,
          exists: true,
          subscribed,
          specialUse,
        })),
        ...[...this.#orphans].map(name => ({
          name,
          exists: false,
          subscribed: true,
          specialUse: [],
        })),
      ],
    }
  }

  #commit(box: ScriptedMailbox, question: Extract<Question, { readonly kind: 'commit' }>): Answer {
    const appended = this.#appended
    this.#appended = []
    const uids = appended.map(({ octets, flags, date }) =>
      this.deliver(box.name, octets, flags, date),
    )
    if (question.replaces !== undefined) {
      const { key, uid } = question.replaces
      const from = this.mailboxes.find(each => each.key === key)
      if (from !== undefined) this.#remove(from, message => message.uid === uid)
    }
    return { kind: 'appended', uidValidity: 1, uids }
  }

  #store(box: ScriptedMailbox, question: Extract<Question, { readonly kind: 'store' }>): Answer {
    const { uids, mode, flags, unchangedSince } = question
    const stored: ScriptedMessage[] = []
    const modified: number[] = []
    for (const message of box.messages) {
      if (!uids.includes(message.uid)) continue
      if (unchangedSince !== undefined && message.modSeq > unchangedSince) {
        modified.push(message.uid)
        continue
      }
      const kept = message.flags.filter(flag => !flags.includes(flag))
      change(box, message, mode === 'set' ? flags : mode === 'add' ? [...kept, ...flags] : kept)
      stored.push(message)
    }
    return { kind: 'stored', stored: stored.map(message => ({ ...message })), modified }
  }

  #copy(box: ScriptedMailbox, question: Extract<Question, { readonly kind: 'copy' }>): Answer {
    const target = this.#named(question.mailbox)
    if (target === undefined) return { ...nothing, code: 'TRYCREATE' }
    if (target.messages.length > COPIED_MAX) return { ...nothing, code: 'OVERQUOTA' }
    const from: number[] = []
    const to: number[] = []
    for (const { uid, octets, flags, date } of [...box.messages]) {
      if (!question.uids.includes(uid)) continue
      from.push(uid)
      to.push(this.deliver(question.mailbox, octets, flags, date))
    }
    if (question.move) this.#remove(box, ({ uid }) => from.includes(uid))
    return { kind: 'copied', uidValidity: 1, from, to }
  }

  #named(name: string): ScriptedMailbox | undefined {
    return this.mailboxes.find(each => each.name === name)
  }

  #remove(box: ScriptedMailbox, goes: (message: ScriptedMessage) => boolean): void {
    const gone = box.messages.filter(goes)
    box.messages = box.messages.filter(message => !gone.includes(message))
    for (const { uid } of gone) box.vanished.push({ uid, modSeq: ++box.modSeq })
  }
}

function login(question: LoginQuestion): LoginAnswer {
  if (question.kind !== 'password') return { kind: 'denied', why: 'no' }
  if (question.username === 'down') return { kind: 'unavailable', why: 'the directory is away' }
  if (question.username === 'joe' && question.password === 'secret' && question.authorize !== '') {
    return { kind: 'denied', why: 'no', proven: true }
  }
  return question.username === 'joe' && question.password === 'secret'
    ? { kind: 'account', account: { id: 1, address: 'joe@example.org' } }
    : { kind: 'denied', why: 'no' }
}
