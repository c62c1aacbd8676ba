/**
 * What NOTIFY asks to be told of (RFC 5465 §3, §8): groups of mailboxes, and the events of each. A mailbox is of the
 * first group that it belongs to (§3.1; scopes.ts).
 */
import type { Cursor } from './cursor.ts'
import { type FetchItem, readFetchItems } from './fetch-item.ts'
import { readMailboxName } from './mailbox-name.ts'

export const EVENTS = [
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
  'MailboxName',
  'SubscriptionChange',
] as const
export type NotifyEvent = (typeof EVENTS)[number]

/** Of RFC 5465, and not told here. */
const OTHERS = ['AnnotationChange', 'MailboxMetadataChange', 'ServerMetadataChange']

export type Scope =
  | { readonly kind: 'selected'; readonly delayed: boolean }
  | { readonly kind: 'inboxes' | 'personal' | 'subscribed' }
  | { readonly kind: 'subtree' | 'subtree-one' | 'mailboxes'; readonly names: ReadonlySet<string> }

export interface EventGroup {
  readonly scope: Scope
  readonly events: ReadonlySet<NotifyEvent>
  /** What is fetched of a new message in the selected mailbox; empty for nothing. */
  readonly items: readonly FetchItem[]
}

export interface NotifyWish {
  /** STATUS of every mailbox is told at once. */
  readonly status: boolean
  readonly groups: readonly EventGroup[]
}

/** Bounds of ours: of groups, each of which is asked of every mailbox, and of names in one. */
export const SCOPES_MAX = 200
const NAMES_MAX = 1_000

/** `"SET" [SP "STATUS"] 1*(SP event-group)`, behind SET; undefined where an event is asked for that is not told here. */
export function readNotify(cursor: Cursor, utf8: boolean): NotifyWish | undefined {
  const status = cursor.take(' STATUS')
  const groups: EventGroup[] = []
  let strange = false
  do {
    cursor.expect(' (')
    const scope = readScope(cursor, utf8)
    cursor.space()
    const read = readEvents(cursor)
    strange ||= read.strange
    if (read.items.length > 0 && scope.kind !== 'selected') {
      cursor.fail('what is fetched is of the selected mailbox')
    }
    cursor.expect(')')
    groups.push({ scope, events: read.events, items: read.items })
    if (groups.length > SCOPES_MAX) cursor.fail('there are too many groups')
  } while (cursor.fault === undefined && cursor.next === 0x20)
  if (groups.filter(({ scope }) => scope.kind === 'selected').length > 1) {
    cursor.fail('the selected mailbox is of one group')
  }
  return strange ? undefined : { status, groups }
}

/** filter-mailboxes (RFC 5465 §8), and `subtree-one` of RFC 7377. */
export function readScope(cursor: Cursor, utf8: boolean): Scope {
  const word = cursor.word()
  switch (word) {
    case 'SELECTED':
    case 'SELECTED-DELAYED':
      return { kind: 'selected', delayed: word !== 'SELECTED' }
    case 'INBOXES':
      return { kind: 'inboxes' }
    case 'PERSONAL':
      return { kind: 'personal' }
    case 'SUBSCRIBED':
      return { kind: 'subscribed' }
    case 'SUBTREE':
    case 'SUBTREE-ONE':
    case 'MAILBOXES': {
      cursor.space()
      const several = cursor.next === 0x28
      const one = () => readMailboxName(cursor, utf8)
      const names = new Set(several ? cursor.list(one, NAMES_MAX) : [one()])
      if (names.size === 0) cursor.fail('a mailbox is wanted')
      const kind = word.toLowerCase() as 'subtree' | 'subtree-one' | 'mailboxes'
      return { kind, names }
    }
    default:
      cursor.fail(`there are no mailboxes ${word.slice(0, 40)}`)
      return { kind: 'inboxes' }
  }
}

interface Events {
  readonly events: Set<NotifyEvent>
  readonly items: readonly FetchItem[]
  readonly strange: boolean
}

/** events = "(" event *(SP event) ")" / "NONE"; event =/ "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"]. */
function readEvents(cursor: Cursor): Events {
  const events = new Set<NotifyEvent>()
  let items: readonly FetchItem[] = []
  let strange = false
  if (cursor.take('NONE')) return { events, items, strange }
  const read = cursor.list(() => {
    const word = cursor.word()
    const event = EVENTS.find(each => each.toUpperCase() === word)
    if (event !== undefined) events.add(event)
    else if (OTHERS.some(each => each.toUpperCase() === word)) strange = true
    else cursor.fail(`NOTIFY knows no event ${word.slice(0, 40)}`)
    if (event === 'MessageNew' && cursor.take(' (')) {
      cursor.back(1)
      items = readFetchItems(cursor)
    }
  }, 20)
  if (read.length === 0) cursor.fail('an event is wanted')
  // §5: one without the other would leave the client with wrong numbers.
  const both = events.has('MessageNew') === events.has('MessageExpunge')
  if (!both || (events.has('FlagChange') && !events.has('MessageNew'))) {
    cursor.fail('MessageNew and MessageExpunge go together, and FlagChange goes with them')
  }
  return { events, items, strange }
}
