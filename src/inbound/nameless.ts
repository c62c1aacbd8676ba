/**
 * Authors without an address, as programs of one machine write them and hand on to their smart host: cron's
 * `From: root (Cron Daemon)`, `From: MAILER-DAEMON <>` of a notice, an empty `From:`. Such a field cannot leave
 * (RFC 5322 §3.6.2), and what they tell is worth having: the author keeps his display name, or the one word there
 * is, and gets the address of who submits (RFC 6409 §8.8). Called by submission.ts, local.ts and `explain`, before
 * authors.ts judges whom the field may name. A field that has another fault is left as it is.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import {
  formatAddressList,
  type Group,
  type Mailbox,
  parseAddressList,
  parseNamelessAddressList,
} from '../message/address-list.ts'
import { type Amended, amend } from '../message/amend.ts'
import { AUTHORS_MAX, headerFault } from '../message/complete.ts'
import { formatField, formatOriginal } from '../message/field.ts'
import type { Field, Header } from '../message/header.ts'

const NAMES = ['From', 'Sender'] as const

/** The header with an address for every author. */
export function withAddresses(before: Amended, own: Address): Amended {
  if (!isNameless(before.header)) return before
  const changes = new Map<Field, readonly string[]>()
  for (const name of NAMES) {
    for (const field of before.header.all(name)) {
      const texts = written(name, before.header.text(field), own)
      if (texts !== undefined) changes.set(field, texts)
    }
  }
  return amend(before, changes)
}

/** Whether an author may lack an address; so it is told before a large message is staged. */
export function isNameless(header: Header): boolean {
  const fault = headerFault(header)
  return fault?.kind === 'bad from' || fault?.kind === 'bad sender'
}

/** The fields in the place of one; undefined where it stays. A sender just goes: ours is added where one is due. */
function written(name: (typeof NAMES)[number], value: string, own: Address) {
  if (/^\s*$/.test(value)) return name === 'Sender' ? [] : fieldOf(name, formatAddress(own))
  if (parseAddressList(value, AUTHORS_MAX).fault === undefined) return undefined
  const { entries, fault } = parseNamelessAddressList(value, AUTHORS_MAX)
  if (fault !== undefined) return undefined
  if (name === 'Sender') return []
  let named = false
  const mine = (mailbox: Mailbox): Mailbox[] => {
    if (mailbox.address.domain !== '') return [mailbox]
    if (named) return []
    named = true
    return [{ name: mailbox.name || mailbox.address.local, address: own }]
  }
  const list = entries.flatMap((entry): (Mailbox | Group)[] =>
    'members' in entry ? [{ ...entry, members: entry.members.flatMap(mine) }] : mine(entry),
  )
  const fields = fieldOf(name, formatAddressList(list))
  return fields && [...fields, formatOriginal(`X-Original-${name}`, value)]
}

function fieldOf(name: string, value: string): readonly string[] | undefined {
  const field = formatField(name, value)
  return field === undefined ? undefined : [field]
}
