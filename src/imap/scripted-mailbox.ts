/** A mailbox of the scripted policy (scripted.ts), and what is told of it. */

import { finished } from '../message/gradual.ts'
import { scanHeader } from '../message/header.ts'
import { threadFactsOf, threading } from '../message/thread.ts'
import { matches, type ScriptedMessage } from './scripted-message.ts'
import type { SearchKey } from './search-key.ts'
import type { Answer, Question, SearchQuestion } from './server/question.ts'
import { sortedUids, sortFactsOf } from './sort.ts'

export interface ScriptedMailbox {
  readonly key: number
  name: string
  subscribed: boolean
  specialUse: readonly string[]
  uidNext: number
  modSeq: number
  /** Where a test has set it: no session was told of the messages from this UID on. */
  recentFrom?: number
  messages: ScriptedMessage[]
  readonly vanished: { readonly uid: number; readonly modSeq: number }[]
}

export function ordered(
  box: ScriptedMailbox,
  question: Extract<Question, { readonly kind: 'sort' | 'thread' }>,
): Answer {
  const found = searched(box, question.search)
  if (question.kind === 'thread') {
    const facts = found.map(({ uid, octets, date }) => threadFactsOf(uid, scanHeader(octets), date))
    return { kind: 'threaded', threads: finished(threading(facts, question.algorithm)) }
  }
  const facts = found.map(({ uid, date, octets }) =>
    sortFactsOf({ uid, internalDate: date, sizeOctets: octets.length }, scanHeader(octets)),
  )
  const uids = finished(sortedUids(facts, question.criteria))
  const modSeqs = uids.map(uid => found.find(each => each.uid === uid)?.modSeq ?? 0)
  return { kind: 'sorted', uids, modSeqs }
}

export function changesOf(box: ScriptedMailbox, since: number) {
  const present = box.messages.filter(({ modSeq }) => modSeq > since)
  const vanished = box.vanished.filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid)
  return {
    highestModSeq: box.modSeq,
    uidNext: box.uidNext,
    present: present.map(message => ({ ...message })),
    vanished: vanished.sort((a, b) => a - b),
  }
}

/** What is recent for who asks, and for nobody behind him. */
export function recentOf(box: ScriptedMailbox): { readonly recentFrom?: number } {
  const { recentFrom, uidNext } = box
  if (recentFrom === undefined || recentFrom >= uidNext) return {}
  box.recentFrom = uidNext
  return { recentFrom }
}

export function statusOf(box: ScriptedMailbox) {
  const { messages, uidNext, modSeq, key, recentFrom = uidNext } = box
  const doomed = messages.filter(({ flags }) => flags.includes('\\Deleted'))
  return {
    messages: messages.length,
    uidNext,
    uidValidity: 1,
    unseen: messages.filter(({ flags }) => !flags.includes('\\Seen')).length,
    deleted: doomed.length,
    deletedOctets: octetsIn(doomed),
    recent: messages.filter(({ uid }) => uid >= recentFrom).length,
    sizeOctets: octetsIn(messages),
    highestModSeq: modSeq,
    mailboxId: `F${key}`,
  }
}

function octetsIn(messages: readonly ScriptedMessage[]): number {
  return messages.reduce((sum, { octets }) => sum + octets.length, 0)
}

export function openedOf(
  box: ScriptedMailbox,
  { readOnly, recent }: Extract<Question, { readonly kind: 'open' }>,
) {
  const { key, uidNext, modSeq, messages } = box
  const unseen = messages.find(({ flags }) => !flags.includes('\\Seen'))
  return {
    key,
    mailboxId: `F${key}`,
    uidValidity: 1,
    uidNext,
    highestModSeq: modSeq,
    uids: messages.map(({ uid }) => uid),
    keywords: [...new Set(messages.flatMap(({ flags }) => flags))].filter(
      flag => !flag.startsWith('\\'),
    ),
    readOnly,
    ...(recent ? recentOf(box) : {}),
    ...(unseen ? { firstUnseenUid: unseen.uid } : {}),
  }
}

export function searched(
  box: ScriptedMailbox,
  { key, uids, saved }: SearchQuestion,
): ScriptedMessage[] {
  const numbers = new Map(Array.from(uids, (uid, at) => [uid, at + 1]))
  const asked = box.messages.filter(({ uid }) => numbers.has(uid))
  return asked.filter(message => matches(message, key, numbers, saved))
}

export function change(
  box: ScriptedMailbox,
  message: ScriptedMessage,
  flags: readonly string[],
): void {
  message.flags = [...new Set(flags)].sort()
  message.modSeq = ++box.modSeq
}

export function searchedAlone(box: ScriptedMailbox, key: SearchKey): Answer {
  const uids = box.messages.map(({ uid }) => uid)
  const found = searched(box, { key, uids, saved: [] })
  return {
    kind: 'found in',
    uidValidity: 1,
    uids: found.map(({ uid }) => uid),
    modSeqs: found.map(({ modSeq }) => modSeq),
  }
}
