/** Mailboxes as folders, for IMAP's role: listed, told of, made, renamed, deleted and subscribed to (RFC 9051 §6.3). */
import { DELIMITER, foreignName, OTHER_USERS } from '../imap/mailbox-name.ts'
import type { Answer, ListedMailbox, Question } from '../imap/server/question.ts'
import { inheritRights, sharedWith } from '../mailbox/acl.ts'
import {
  createFolder,
  deleteFolder,
  doomedOctets,
  FOLDERS_SLICE,
  type FoldersBehind,
  folderNumbers,
  folderStatus,
  foldersOf,
  renameFolder,
  subscribe,
  subscriptionsOf,
} from '../mailbox/folder.ts'
import { countFrom } from '../mailbox/recent.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Reader } from '../store/store.ts'
import { breathOf } from '../world/breath.ts'
import type { ImapAccess } from './imap.ts'
import { clearFolder } from './imap-expunge.ts'
import { broken, noSuchMailbox } from './imap-no.ts'
import { lacking, type Place, placeOf } from './imap-place.ts'

type Access = Pick<ImapAccess, 'store' | 'world' | 'keeps' | 'log'>
type Asked<K extends Question['kind']> = Extract<Question, { readonly kind: K }>

const done = { kind: 'done' } as const
const cannot = { kind: 'no', code: 'CANNOT', why: 'that cannot be done there' } as const

export type FolderQuestion = Asked<
  'mailboxes' | 'status' | 'create' | 'delete' | 'rename' | 'subscribe'
>

export function answerFolder(access: Access, question: FolderQuestion): Promise<Answer> {
  switch (question.kind) {
    case 'mailboxes':
      return mailboxes(access, question.account)
    case 'status':
      return status(access, question)
    case 'create':
      return create(access, question)
    case 'delete':
      return remove(access, question)
    case 'rename':
      return rename(access, question)
    case 'subscribe':
      return subscribed(access, question)
  }
}

async function subscribed(access: Access, question: Asked<'subscribe'>): Promise<Answer> {
  const { account, mailbox: name, on } = question
  const folder = { accountId: account.id, name, on }
  if ((await access.store.write(subscribe, folder)) === 'too many') {
    return { kind: 'no', code: 'LIMIT', why: 'the account is subscribed to too many names' }
  }
  access.store.wake(mailTopic(account.id))
  return done
}

/** All folders of an account, a slice at a time: others have their turn between them. */
async function allOf<F extends { readonly name: string }>(
  { store, world }: Pick<Access, 'store' | 'world'>,
  reader: Reader<FoldersBehind, readonly F[]>,
  accountId: number,
): Promise<readonly F[]> {
  const all: F[] = []
  for (;;) {
    const slice = await store.read(reader, { accountId, after: all.at(-1)?.name ?? '' })
    all.push(...slice)
    if (slice.length < FOLDERS_SLICE) return all
    await breathOf(world.clock).due()
  }
}

async function mailboxes(access: Access, account: Account): Promise<Answer> {
  const { store, world } = access
  const [folders, names, shares] = await Promise.all([
    allOf(access, foldersOf, account.id),
    store.read(subscriptionsOf, account.id),
    store.read(sharedWith, account.address),
  ])
  await breathOf(world.clock).due()
  const subscribed = new Set(names)
  const listed = new Map<string, ListedMailbox>()
  const add = (name: string, specialUse: readonly string[]) =>
    listed.set(name, { name, exists: true, subscribed: subscribed.has(name), specialUse })
  for (const { name, specialUse } of folders) add(name, specialUse === '' ? [] : [specialUse])
  for (const { owner, name, rights } of shares) {
    if (rights.includes('l')) add([OTHER_USERS, owner, name].join(DELIMITER), [])
  }
  for (const name of names) {
    if (listed.has(name)) continue
    listed.set(name, { name, exists: false, subscribed: true, specialUse: [] })
  }
  return { kind: 'mailboxes', mailboxes: [...listed.values()] }
}

/** One's own, with their numbers, for NOTIFY (RFC 5465). */
export async function watchedMailboxes(
  access: Pick<Access, 'store' | 'world'>,
  account: Account,
): Promise<Answer> {
  const { store, world } = access
  const [folders, names] = await Promise.all([
    allOf(access, folderNumbers, account.id),
    store.read(subscriptionsOf, account.id),
  ])
  await breathOf(world.clock).due()
  const subscribed = new Set(names)
  const mailboxes = folders.map(({ mailboxId, name, modSeq, ...numbers }) => ({
    mailboxId: mailboxIdOf(mailboxId),
    name,
    subscribed: subscribed.has(name),
    highestModSeq: modSeq,
    ...numbers,
  }))
  return { kind: 'watched', mailboxes }
}

async function status(access: Access, question: Asked<'status'>): Promise<Answer> {
  const { store } = access
  const place = await placeOf(access, question.account, question.mailbox)
  const denied = lacking(place, 'r')
  if (place === undefined || denied) return denied ?? noSuchMailbox
  const found = await store.read(folderStatus, named(place))
  if (found === undefined) return noSuchMailbox
  const counted = question.deletedOctets === true && found.doomed > 0
  const { mailboxId, recentFrom } = found
  const recent = question.recent === true && recentFrom < found.uidNext
  const { uidNext, uidValidity, messages, unseen, doomed, sizeOctets, modSeq } = found
  return {
    kind: 'status',
    status: {
      messages,
      uidNext,
      uidValidity,
      unseen,
      deleted: doomed,
      deletedOctets: counted ? await store.read(doomedOctets, mailboxId) : 0,
      recent: recent ? await store.read(countFrom, { mailboxId, uid: recentFrom }) : 0,
      sizeOctets,
      highestModSeq: modSeq,
      mailboxId: mailboxIdOf(mailboxId),
    },
  }
}

async function create(access: Access, question: Asked<'create'>): Promise<Answer> {
  const { store } = access
  const [specialUse = ''] = question.specialUse
  const place = await placeForNew(access, question.account, question.mailbox)
  if ('kind' in place) return place
  if (!place.own && specialUse !== '') {
    return { kind: 'no', code: 'USEATTR', why: "uses are for one's own mailboxes" }
  }
  const folder = named(place)
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
  const parent = await store.read(folderStatus, { ...folder, name: parentOf(place.name) })
  // Who may use a mailbox may use what is made below it.
  if (made !== undefined && parent !== undefined) {
    await store.write(inheritRights, { from: parent.mailboxId, to: made.mailboxId })
  }
  store.wake(mailTopic(place.ownerId))
  return { kind: 'created', mailboxId: mailboxIdOf(made?.mailboxId ?? 0) }
}

/** Where a mailbox is to be: below one of another it wants the right to make it there (RFC 4314 §4, `k`). */
async function placeForNew(
  access: Access,
  account: Account,
  mailbox: string,
): Promise<Place | Extract<Answer, { kind: 'no' }>> {
  const named = foreignName(mailbox)
  if (named !== undefined) {
    const parent = await placeOf(access, account, parentOf(mailbox))
    const denied = lacking(parent, 'k')
    // What is above all others' mailboxes is nobody's to make.
    if (parent === undefined || parent.own || denied) return denied ?? cannot
    return { ...parent, name: named.name }
  }
  return (await placeOf(access, account, mailbox)) ?? noSuchMailbox
}

async function remove(access: Access, question: Asked<'delete'>): Promise<Answer> {
  const place = await placeOf(access, question.account, question.mailbox)
  const denied = lacking(place, 'x')
  if (place === undefined || denied) return denied ?? noSuchMailbox
  if (place.name === 'INBOX') return cannot
  const { mailboxId } = await access.store.write(deleteFolder, named(place))
  if (mailboxId === undefined) return noSuchMailbox
  // Its name is gone, durably; that its messages go too need not be waited for.
  void clearFolder(access, mailboxId)
  access.store.wake(mailTopic(place.ownerId))
  return done
}

async function rename(access: Access, question: Asked<'rename'>): Promise<Answer> {
  const from = await placeOf(access, question.account, question.mailbox)
  const denied = lacking(from, 'x')
  if (from === undefined || denied) return denied ?? noSuchMailbox
  const to = await placeForNew(access, question.account, question.to)
  if ('kind' in to) return to
  // A mailbox stays with its owner, and another's INBOX is not one's to take away.
  if (to.ownerId !== from.ownerId || (!from.own && from.name === 'INBOX')) return cannot
  const changed = await access.store.write(renameFolder, { ...named(from), to: to.name })
  if (changed === 'exists') {
    return { kind: 'no', code: 'ALREADYEXISTS', why: 'a mailbox has that name already' }
  }
  if (changed !== 'done') return noSuchMailbox
  access.store.wake(mailTopic(from.ownerId))
  return done
}

function named({ ownerId, name }: Place) {
  return { accountId: ownerId, name }
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(DELIMITER)))
}

/** MAILBOXID (RFC 8474 §5.1). */
export function mailboxIdOf(key: number): string {
  return `F${key}`
}
