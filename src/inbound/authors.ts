/**
 * Whom a submitted message may name as its authors and sender (RFC 6409 §6, §8.1): each one in `From`, `Sender` and
 * their `Resent-` kin is one that the account has a right to (identity.ts), or policy says what becomes of it. It is
 * refused; let through, and then `Sender` names the account; or written anew under the account's own address.
 * Called by submission.ts, and by `explain`.
 *
 * A field that is written anew keeps its display names and its groups; of several mailboxes that become the account's
 * own the first stays. What it said before stands in an `X-Original-From` (or `X-Original-Resent-From`), which no
 * reader shows as the author, as they may `Author` (RFC 9057), and which can be told in ASCII.
 */
import { sameAddress } from '../account/address.ts'
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import {
  formatAddressList,
  type Group,
  type Mailbox,
  parseAddressList,
} from '../message/address-list.ts'
import { type Amended, amend } from '../message/amend.ts'
import { AUTHORS_MAX, headerFault } from '../message/complete.ts'
import { formatField, formatOriginal } from '../message/field.ts'
import type { Field, Header } from '../message/header.ts'
import type { Account } from '../sasl/mechanism.ts'
import { rightTo } from './identity.ts'
import type { Inbound, Refusal } from './role.ts'

/** The fields that are looked at, of the resent ones only those of the topmost block (RFC 5322 §3.6.6). */
const FIELDS = [
  { name: 'From', kind: 'author', topmost: false },
  { name: 'Resent-From', kind: 'author', topmost: true },
  { name: 'Sender', kind: 'sender', topmost: false },
  { name: 'Resent-Sender', kind: 'sender', topmost: true },
] as const

type Looked = (typeof FIELDS)[number] & { readonly field: Field }

/** The header as it may leave, or why it may not. Rejects only if the store does. */
export async function judgeAuthors(
  inbound: Inbound,
  account: Account,
  before: Amended,
): Promise<Amended | Refusal> {
  const { header } = before
  const changes = new Map<Field, readonly string[]>()
  for (const looked of lookedAt(header)) {
    const foreign: Address[] = []
    for (const { address } of mailboxesOf(header, looked.field)) {
      const fate = await fateOf(inbound, account, looked.kind, address)
      if (fate === 'reject') return notHis(looked.name, address, account)
      if (fate === 'rewrite') foreign.push(address)
    }
    const [first] = foreign
    if (first === undefined) continue
    const texts = rewritten(header, looked, foreign, account)
    if (texts === undefined) return notHis(looked.name, first, account)
    changes.set(looked.field, texts)
  }
  // What nobody can read whole is refused later for that, and not mended here.
  const fault = headerFault(header)
  return fault !== undefined && fault.kind !== 'no from' ? before : amend(before, changes)
}

/** Whether any policy writes fields anew: then a large message waits for it before its octets are staged. */
export function rewritesAuthors({ identities, enforceSender }: ReturnType<Inbound['settings']>) {
  const { from, foreignFrom } = identities
  return enforceSender && (from === 'rewrite' || foreignFrom === 'rewrite')
}

function lookedAt(header: Header): Looked[] {
  return FIELDS.flatMap(known => {
    const fields = header.all(known.name)
    return (known.topmost ? fields.slice(0, 1) : fields).map(field => ({ ...known, field }))
  })
}

function mailboxesOf(header: Header, field: Field): readonly Mailbox[] {
  return parseAddressList(header.text(field), AUTHORS_MAX).mailboxes
}

type Fate = 'keep' | 'reject' | 'rewrite'

/** `Sender` never names anybody else, and nobody on whose behalf one writes. */
async function fateOf(
  inbound: Inbound,
  account: Account,
  kind: Looked['kind'],
  address: Address,
): Promise<Fate> {
  const right = await rightTo(inbound, account, address)
  if (right === 'own' || right === 'as' || (right === 'behalf' && kind === 'author')) return 'keep'
  const { identities } = inbound.settings()
  const found = inbound.directory.cached(address) ?? (await inbound.directory.resolve(address))
  const policy = found.kind === 'foreign' ? identities.foreignFrom : identities.from
  if (policy === 'rewrite') return 'rewrite'
  return kind === 'author' && policy === 'sender' ? 'keep' : 'reject'
}

/** The fields in the place of one; undefined where it cannot be read or written. A sender just goes: ours is added. */
function rewritten(
  header: Header,
  { name, kind, field }: Looked,
  foreign: readonly Address[],
  account: Account,
): readonly string[] | undefined {
  if (kind === 'sender') return []
  const value = header.text(field)
  const { entries, mailboxes, fault } = parseAddressList(value, AUTHORS_MAX)
  if (fault !== undefined) return undefined
  const own = parseStoredAddress(account.address)
  let named = mailboxes.some(({ address }) => sameAddress(address, own))
  const mine = (mailbox: Mailbox): Mailbox[] => {
    if (!foreign.some(address => sameAddress(address, mailbox.address))) return [mailbox]
    if (named) return []
    named = true
    return [{ ...mailbox, address: own }]
  }
  const list = entries.flatMap((entry): (Mailbox | Group)[] => {
    if (!('members' in entry)) return mine(entry)
    const members = entry.members.flatMap(mine)
    return members.length === 0 && entry.members.length > 0 ? [] : [{ ...entry, members }]
  })
  const text = formatField(name, formatAddressList(list))
  return text === undefined ? undefined : [text, formatOriginal(`X-Original-${name}`, value)]
}

function notHis(field: string, address: Address, account: Account): Refusal {
  const text = `${field} ${formatAddress(address)}: not an address of ${account.address}`
  return { kind: 'refuse', code: 550, detail: '7.1', text }
}
