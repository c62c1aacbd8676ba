/**
 * Threads of messages (RFC 5256 §3): by what they refer to (REFERENCES, REFS), or by their subject alone
 * (ORDEREDSUBJECT). Pure; called by access/ with what `threadFactsOf` read of each header. No mail, however
 * it lies about what it answers, makes a loop or more than a linear number of steps.
 */

import { parseDate } from '../wire/date.ts'
import { baseSubject } from './base-subject.ts'
import { casemap } from './casemap.ts'
import { decodeWords } from './encoded-word.ts'
import { type Gradual, gradually, sorted } from './gradual.ts'
import type { Header } from './header.ts'

export interface ThreadFacts {
  readonly uid: number
  /** The Date field, else INTERNALDATE. */
  readonly dateMs: number
  /** INTERNALDATE. */
  readonly arrivedMs: number
  readonly subject: string
  readonly isReply: boolean
  /** undefined where there is none. */
  readonly messageId: string | undefined
  readonly references: readonly string[]
}

/** A message and those that answer it; without `uid` one that is not here, and whose answers are. */
export interface Thread {
  readonly uid?: number
  readonly children: readonly Thread[]
}

export const THREAD_ALGORITHMS = ['ORDEREDSUBJECT', 'REFERENCES', 'REFS'] as const
export type ThreadAlgorithm = (typeof THREAD_ALGORITHMS)[number]

/** Of longer lists the last are kept: they are the nearest. */
const REFERENCES_MAX = 100
/** Ancestors looked at for a loop; a link that would lie deeper is not made. */
const DEPTH_MAX = 1000
const STEP = 256

const MESSAGE_ID = /<([^<>\s]{1,500})>/g

/** RFC 5256 §3: `<"a"@x>` and `<a@x>` are one. */
function unquoted(id: string): string {
  const [whole = '', local] = /^"((?:[^"\\]|\\.)*)"(?=@)/.exec(id) ?? []
  return local === undefined ? id : local.replace(/\\(.)/g, '$1') + id.slice(whole.length)
}

/** What threading asks of a header; the subject is decoded. */
export interface ThreadFields {
  readonly subject: string | undefined
  readonly date: string | undefined
  readonly messageId: string | undefined
  readonly inReplyTo: string | undefined
  readonly references: string | undefined
}

export function threadFactsOf(uid: number, header: Header, internalDate: number): ThreadFacts {
  return threadFacts(uid, internalDate, {
    subject: decodeWords(header.first('subject') ?? ''),
    date: header.first('date'),
    messageId: header.first('message-id'),
    inReplyTo: header.first('in-reply-to'),
    references: header.first('references'),
  })
}

export function threadFacts(uid: number, internalDate: number, fields: ThreadFields): ThreadFacts {
  const ids = (value = '') =>
    Array.from(value.matchAll(MESSAGE_ID), match => unquoted(match[1] ?? ''))
  const references = ids(fields.references)
  const { text, isReply } = baseSubject(fields.subject ?? '')
  return {
    uid,
    dateMs: parseDate(fields.date ?? '') ?? internalDate,
    arrivedMs: internalDate,
    subject: casemap(text),
    isReply,
    messageId: ids(fields.messageId)[0],
    references:
      references.length > 0 ? references.slice(-REFERENCES_MAX) : ids(fields.inReplyTo).slice(0, 1),
  }
}

/**
 * In steps, since there may be a hundred thousand.
 * @param messages in the order of their numbers, which settles what is equal otherwise.
 */
export function threading(
  messages: readonly ThreadFacts[],
  algorithm: ThreadAlgorithm,
): Gradual<readonly Thread[]> {
  switch (algorithm) {
    case 'ORDEREDSUBJECT':
      return bySubject(messages)
    case 'REFERENCES':
      return byReferences(messages)
    case 'REFS':
      return byRefs(messages)
  }
}

function byDate(a: ThreadFacts, b: ThreadFacts): number {
  return a.dateMs - b.dateMs || a.uid - b.uid
}

/** §3, ORDEREDSUBJECT: the first of a subject, and all others of it below. */
function* bySubject(messages: readonly ThreadFacts[]): Gradual<readonly Thread[]> {
  const threads = new Map<string, { uid: number; children: Thread[] }>()
  yield* gradually(yield* sorted(messages, byDate), ({ subject, uid }) => {
    const thread = threads.get(subject)
    if (thread === undefined) threads.set(subject, { uid, children: [] })
    else thread.children.push({ uid, children: [] })
  })
  return [...threads.values()]
}

class Node {
  facts: ThreadFacts | undefined
  parent: Node | undefined
  readonly children = new Set<Node>()

  adopt(child: Node): void {
    child.parent?.children.delete(child)
    child.parent = this
    this.children.add(child)
  }
}

/** Whether the other is this one or above it, or so far up that nobody knows. */
function isBelow(node: Node, other: Node): boolean {
  let depth = 0
  for (let here: Node | undefined = node; here !== undefined; here = here.parent) {
    if (here === other || ++depth > DEPTH_MAX) return true
  }
  return false
}

function* treeOf(messages: readonly ThreadFacts[]): Gradual<Node> {
  const top = new Node()
  yield* gradually(yield* linked(messages), node => {
    if (node.parent === undefined) top.adopt(node)
  })
  yield* prune(top)
  return top
}

/** §3, REFERENCES: its six steps. */
function* byReferences(messages: readonly ThreadFacts[]): Gradual<readonly Thread[]> {
  const top = yield* treeOf(messages)
  yield* gatherSubjects(top, yield* dated(top.children))
  return yield* threadsBelow(top)
}

/**
 * REFS (draft-ietf-morg-inthread §5, as Dovecot has it): as REFERENCES, but subjects say nothing, and a thread stands
 * where the message of it that came last would.
 */
function* byRefs(messages: readonly ThreadFacts[]): Gradual<readonly Thread[]> {
  const arrived = new Map(messages.map(({ uid, arrivedMs }) => [uid, arrivedMs]))
  const last: { readonly thread: Thread; readonly lastMs: number }[] = []
  yield* gradually(yield* threadsBelow(yield* treeOf(messages)), thread => {
    last.push({ thread, lastMs: lastOf(thread, arrived) })
  })
  return (yield* sorted(last, (a, b) => a.lastMs - b.lastMs)).map(({ thread }) => thread)
}

function lastOf(thread: Thread, arrived: ReadonlyMap<number, number>): number {
  let last = 0
  const waiting = [thread]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.uid !== undefined) last = Math.max(last, arrived.get(next.uid) ?? 0)
    for (const child of next.children) waiting.push(child)
  }
  return last
}

/** Step 1: every message, and every one referred to, below what it answers. */
function* linked(messages: readonly ThreadFacts[]): Gradual<Iterable<Node>> {
  const nodes = new Map<string, Node>()
  const nodeOf = (id: string) => {
    const node = nodes.get(id) ?? new Node()
    nodes.set(id, node)
    return node
  }
  yield* gradually(messages, facts => {
    const { messageId, references, uid } = facts
    // A second message of the same id, and one without, has an id that nobody refers to.
    const taken = messageId === undefined || nodes.get(messageId)?.facts !== undefined
    const node = nodeOf(taken ? `\n${uid}` : messageId)
    node.facts = facts
    let above: Node | undefined
    for (const id of references) {
      const here = nodeOf(id)
      if (above !== undefined && here.parent === undefined && !isBelow(above, here)) {
        above.adopt(here)
      }
      above = here
    }
    // What the message itself says counts more than what others say of it.
    node.parent?.children.delete(node)
    node.parent = undefined
    if (above !== undefined && !isBelow(above, node)) above.adopt(node)
  })
  return nodes.values()
}

/**
 * Steps 2 and 3: messages that are not here go, and their answers take their place. Each answer moves once, however
 * many missing ones stand above it.
 */
function* prune(top: Node): Gradual<void> {
  const order = yield* bottomUp(top)
  // How many answers a missing message has, those of missing ones below it counted as its own.
  const answers = new Map<Node, number>()
  const counted = (node: Node) => (node.facts === undefined ? (answers.get(node) ?? 0) : 1)
  yield* gradually(order, node => {
    const { parent } = node
    if (parent !== undefined) answers.set(parent, (answers.get(parent) ?? 0) + counted(node))
  })
  // Whose the answers of a node become; parents come first now.
  const heirs = new Map<Node, Node>([[top, top]])
  yield* gradually([...order].reverse(), node => {
    const { parent } = node
    if (parent === undefined) return
    const heir = heirs.get(parent) ?? parent
    // At the top, a missing message holds its several answers together.
    const stays = node.facts !== undefined || (parent === top && counted(node) > 1)
    heirs.set(node, stays ? node : heir)
    if (!stays) parent.children.delete(node)
    else if (heir !== parent) heir.adopt(node)
  })
}

/** Children before their parents, without recursion. */
function* bottomUp(top: Node): Gradual<readonly Node[]> {
  const order: Node[] = []
  const waiting = [top]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    order.push(node)
    for (const child of node.children) waiting.push(child)
    if (order.length % STEP === 0) yield
  }
  return order.reverse()
}

/** The facts a node is sorted and grouped by: of a missing message those of its first answer. */
function factsOf(node: Node): ThreadFacts | undefined {
  if (node.facts !== undefined) return node.facts
  let first: ThreadFacts | undefined
  for (const { facts } of node.children) {
    if (facts !== undefined && (first === undefined || byDate(facts, first) < 0)) first = facts
  }
  return first
}

/** Nodes by their dates, each of which is looked for once. */
function* dated(nodes: Iterable<Node>): Gradual<readonly Node[]> {
  const known: { readonly node: Node; readonly facts: ThreadFacts | undefined }[] = []
  yield* gradually(nodes, node => known.push({ node, facts: factsOf(node) }))
  const order = yield* sorted(known, (a, b) =>
    a.facts === undefined || b.facts === undefined ? 0 : byDate(a.facts, b.facts),
  )
  return order.map(({ node }) => node)
}

/** Step 5: threads of one subject become one. */
function* gatherSubjects(top: Node, roots: readonly Node[]): Gradual<void> {
  const table = new Map<string, Node>()
  yield* gradually(roots, root => {
    const subject = factsOf(root)?.subject ?? ''
    const known = table.get(subject)
    if (subject === '') return
    const better =
      known === undefined ||
      (known.facts !== undefined && root.facts === undefined) ||
      ((known.facts?.isReply ?? false) && !(root.facts?.isReply ?? false))
    if (better) table.set(subject, root)
  })
  yield* gradually(roots, root => {
    const subject = factsOf(root)?.subject ?? ''
    const first = table.get(subject)
    if (first === undefined || first === root) return
    const both = merge(top, first, root)
    if (both !== first) table.set(subject, both)
  })
}

function merge(top: Node, first: Node, root: Node): Node {
  if (first.facts === undefined && root.facts === undefined) {
    for (const child of root.children) first.adopt(child)
    top.children.delete(root)
    return first
  }
  const answers = (root.facts?.isReply ?? false) && !(first.facts?.isReply ?? false)
  if (first.facts === undefined || answers) {
    first.adopt(root)
    return first
  }
  const both = new Node()
  top.adopt(both)
  both.adopt(first)
  both.adopt(root)
  return both
}

/** Step 6: siblings by date, all the way down. */
function* threadsBelow(top: Node): Gradual<readonly Thread[]> {
  const made = new Map<Node, Thread>()
  let steps = 0
  for (const node of yield* bottomUp(top)) {
    const siblings = node.children.size > 1 ? yield* dated(node.children) : [...node.children]
    const children = siblings.flatMap(child => made.get(child) ?? [])
    const { facts } = node
    made.set(node, facts === undefined ? { children } : { uid: facts.uid, children })
    if (++steps % STEP === 0) yield
  }
  return made.get(top)?.children ?? []
}
