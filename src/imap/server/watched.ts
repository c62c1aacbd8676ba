/**
 * What NOTIFY keeps (RFC 5465): what a client was told of each mailbox that is not the selected one, and the lines
 * that bring it up to date. It speaks to nobody: `news` gives the lines.
 */
import { DELIMITER, formatMailboxName } from '../mailbox-name.ts'
import type { EventGroup, NotifyEvent, NotifyWish } from '../notify.ts'
import { Scopes } from '../scopes.ts'
import type { WatchedMailbox } from './question.ts'

export interface Manner {
  readonly utf8: boolean
  readonly condstore: boolean
  /** Of this mailbox the client hears otherwise. */
  readonly selected: string | undefined
}

export class Watched {
  readonly wish: NotifyWish
  readonly #scopes: Scopes
  /** By MAILBOXID, so that a new name is not taken for a new mailbox. */
  #known: Map<string, WatchedMailbox>

  constructor(wish: NotifyWish, mailboxes: readonly WatchedMailbox[]) {
    this.wish = wish
    this.#scopes = new Scopes(wish.groups.map(({ scope }) => scope))
    this.#known = byId(mailboxes)
  }

  /** The group of the selected mailbox. */
  get selected(): EventGroup | undefined {
    return this.wish.groups.find(({ scope }) => scope.kind === 'selected')
  }

  /** STATUS of all that is watched for messages, as NOTIFY SET STATUS wants it (§4). */
  all(manner: Manner): string {
    return [...this.#known.values()]
      .filter(box => box.name !== manner.selected && this.#wants(box, 'MessageNew'))
      .map(box => status(box, manner, true, this.#wants(box, 'FlagChange')))
      .join('')
  }

  news(mailboxes: readonly WatchedMailbox[], manner: Manner): string {
    const before = this.#known
    this.#known = byId(mailboxes)
    let text = ''
    for (const box of mailboxes) text += this.#changed(before.get(box.mailboxId), box, manner)
    for (const [id, box] of before) {
      if (!this.#known.has(id) && this.#wants(box, 'MailboxName')) {
        text += list(box.name, ['\\NonExistent'], manner)
      }
    }
    return text
  }

  #changed(before: WatchedMailbox | undefined, now: WatchedMailbox, manner: Manner): string {
    let text = ''
    if (before === undefined || before.name !== now.name) {
      const old = before === undefined ? '' : ` ("OLDNAME" (${quoted(before.name, manner)}))`
      if (this.#wants(now, 'MailboxName')) text += list(now.name, [], manner, old)
    } else if (before.subscribed !== now.subscribed && this.#wants(now, 'SubscriptionChange')) {
      text += list(now.name, now.subscribed ? ['\\Subscribed'] : [], manner)
    }
    if (now.name === manner.selected || before === undefined) return text
    const messages = before.messages !== now.messages || before.uidNext !== now.uidNext
    const flags = before.highestModSeq !== now.highestModSeq && this.#wants(now, 'FlagChange')
    if ((messages && this.#wants(now, 'MessageNew')) || flags) {
      text += status(now, manner, flags, flags)
    }
    return text
  }

  #wants(box: WatchedMailbox, event: NotifyEvent): boolean {
    const place = this.#scopes.first(box)
    return place !== undefined && this.wish.groups[place]?.events.has(event) === true
  }
}

function byId(mailboxes: readonly WatchedMailbox[]): Map<string, WatchedMailbox> {
  return new Map(mailboxes.map(box => [box.mailboxId, box]))
}

/**
 * §5.1 to §5.3: what has changed can be read off these. Whoever watches flags is told HIGHESTMODSEQ, whether CONDSTORE
 * is on or not: the server has it (§4, §5.3), and without it a flag that is not \Seen would change nothing.
 */
function status(box: WatchedMailbox, manner: Manner, unseen: boolean, flags: boolean): string {
  const { messages, uidNext, uidValidity, highestModSeq } = box
  const items = [`MESSAGES ${messages}`, `UIDNEXT ${uidNext}`, `UIDVALIDITY ${uidValidity}`]
  if (unseen) items.push(`UNSEEN ${box.unseen}`)
  if (flags || manner.condstore) items.push(`HIGHESTMODSEQ ${highestModSeq}`)
  return `* STATUS ${quoted(box.name, manner)} (${items.join(' ')})\r\n`
}

function list(name: string, attributes: readonly string[], manner: Manner, more = ''): string {
  return `* LIST (${attributes.join(' ')}) "${DELIMITER}" ${quoted(name, manner)}${more}\r\n`
}

function quoted(name: string, { utf8 }: Manner): string {
  return formatMailboxName(name, utf8)
}
