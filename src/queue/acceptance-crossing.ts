/**
 * How an acceptance crosses to the committer's thread (store/store.ts, `Crossing`): flat, its octets as text of one
 * character each. A clone makes a buffer of its own for all octets, and collects it later. Given to the writer
 * `accept`; what either side forgets the contract tests of the queue miss.
 */
import type { Delivery } from '../mailbox/deliver.ts'
import type { Crossing } from '../store/store.ts'
import type { Acceptance, AcceptedRecipient } from './acceptance.ts'

/** From here on octets cross as they are, in a buffer of their own or one that changes hands (spool.ts). */
export const AS_THEY_ARE_OCTETS = 16_384

type Octets = string | Uint8Array
type Staged = Exclude<Acceptance['body'], Uint8Array>

type PackedDelivery = [number, string, string, number, string | Uint8Array, number, number, string]

/** What few recipients have. */
type Unusual = Pick<AcceptedRecipient, 'parameters' | 'expanded' | 'hold' | 'lane'>

type PackedRecipient = [
  address: string,
  domain: string,
  notify: string | null,
  originalRecipient: string | null,
  aliasOf: string | null,
  /** Whose lease, and for how long. */
  by: string | null,
  leaseMs: number,
  delivery: PackedDelivery | null,
  unusual: Unusual | null,
]

type Packed = [
  id: string,
  bodyKey: number,
  origin: Acceptance['origin'],
  head: Octets,
  sizeOctets: number | undefined,
  body: Octets | Staged,
  reversePath: string,
  bodyKind: string,
  utf8: boolean,
  ret: string | null,
  envelopeId: string | null,
  parameters: string | null,
  priority: number,
  accountId: number | null,
  peer: string,
  receivedAt: number,
  recipients: PackedRecipient[],
  notices: Packed[] | null,
]

export const acceptanceCrossing: Crossing<Acceptance> = {
  pack,
  unpack: packed => unpack(packed as Packed),
}

function pack(a: Acceptance): Packed {
  return [
    a.id,
    a.bodyKey,
    a.origin,
    packOctets(a.head),
    a.sizeOctets,
    a.body instanceof Uint8Array ? packOctets(a.body) : a.body,
    a.reversePath,
    a.bodyKind,
    a.utf8,
    a.ret,
    a.envelopeId,
    a.parameters ?? null,
    a.priority ?? 0,
    a.accountId,
    a.peer,
    a.receivedAt,
    a.recipients.map(packRecipient),
    a.notices?.map(pack) ?? null,
  ]
}

function unpack(p: Packed): Acceptance {
  const [id, bodyKey, origin, head, sizeOctets, body, reversePath, bodyKind, utf8, ret] = p
  return {
    id,
    bodyKey,
    origin,
    head: unpackOctets(head),
    ...(sizeOctets !== undefined && { sizeOctets }),
    body: typeof body === 'string' ? unpackOctets(body) : body,
    reversePath,
    bodyKind,
    utf8,
    ret,
    envelopeId: p[10],
    parameters: p[11],
    priority: p[12],
    accountId: p[13],
    peer: p[14],
    receivedAt: p[15],
    recipients: p[16].map(unpackRecipient),
    ...(p[17] && { notices: p[17].map(unpack) }),
  }
}

function packRecipient(r: AcceptedRecipient): PackedRecipient {
  const unusual = r.parameters || r.expanded || r.hold || r.lane
  return [
    r.address,
    r.domain,
    r.notify,
    r.originalRecipient,
    r.aliasOf,
    r.lease?.by ?? null,
    r.lease?.leaseMs ?? 0,
    r.delivery ? packDelivery(r.delivery) : null,
    unusual ? unusualOf(r) : null,
  ]
}

function unusualOf({ parameters, expanded, hold, lane }: AcceptedRecipient): Unusual {
  return {
    ...(parameters && { parameters }),
    ...(expanded && { expanded }),
    ...(hold && { hold }),
    ...(lane && { lane }),
  }
}

function unpackRecipient(p: PackedRecipient): AcceptedRecipient {
  const [address, domain, notify, originalRecipient, aliasOf, by, leaseMs, delivery, unusual] = p
  return {
    address,
    domain,
    notify,
    originalRecipient,
    aliasOf,
    ...(by !== null && { lease: { by, leaseMs } }),
    ...(delivery && { delivery: unpackDelivery(delivery) }),
    ...unusual,
  }
}

function packDelivery(d: Delivery): PackedDelivery {
  const { accountId, mailboxName, messageId, bodyId, head, sizeOctets, internalDate, flags } = d
  return [accountId, mailboxName, messageId, bodyId, head, sizeOctets, internalDate, flags]
}

function unpackDelivery(p: PackedDelivery): Delivery {
  const [accountId, mailboxName, messageId, bodyId, head, sizeOctets, internalDate, flags] = p
  return { accountId, mailboxName, messageId, bodyId, head, sizeOctets, internalDate, flags }
}

function packOctets(octets: Uint8Array): Octets {
  if (octets.length >= AS_THEY_ARE_OCTETS) return octets
  const { buffer, byteOffset, byteLength } = octets
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

function unpackOctets(octets: Octets): Uint8Array {
  return typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets
}
