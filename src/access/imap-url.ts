/**
 * What an IMAP URL names (RFC 5092), for who may read it: his own, for CATENATE; what another has signed for him, for
 * URLFETCH and BURL (RFC 4467). A token is an HMAC over the URL up to its access, by the key of its mailbox.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonicalAddress } from '../account/address.ts'
import { findAccount } from '../account/reader.ts'
import type { Answer, Question, SectionAnswer } from '../imap/server/question.ts'
import { formatStructure } from '../imap/structure.ts'
import type { ImapUrl } from '../imap/url.ts'
import { folderStatus } from '../mailbox/folder.ts'
import { forgetUrlKeys, keepUrlKey, urlKeyOf } from '../mailbox/url-key.ts'
import { findPart } from '../message/section.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { noSuchMailbox } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'

export type NamedOctets = Extract<SectionAnswer, { kind: 'octets' }>

/** Undefined where there is no such thing, or it is not his to read; of another server nothing is read. */
export async function octetsBehind(
  access: UrlAccess,
  account: Account,
  url: ImapUrl,
): Promise<NamedOctets | undefined> {
  return octetsOf(await contentBehind(access, account, url), url)
}

async function octetsOf(
  content: MessageContent | undefined,
  { section, partial }: ImapUrl,
): Promise<NamedOctets | undefined> {
  const answer = await content?.section({ section, as: 'octets', ...(partial && { partial }) })
  return answer?.kind === 'octets' ? answer : undefined
}

/** The message of a URL. */
async function contentBehind(
  access: UrlAccess,
  account: Account,
  url: ImapUrl,
): Promise<MessageContent | undefined> {
  if (url.user !== undefined && !isNamed(account, url.user)) return undefined
  const place = await placeOf(access, account, url.mailbox)
  if (place === undefined || lacking(place, 'r')) return undefined
  const folder = { accountId: place.ownerId, name: place.name }
  const found = await access.store.read(folderStatus, folder)
  if (found === undefined) return undefined
  if (url.uidValidity !== undefined && url.uidValidity !== found.uidValidity) return undefined
  return MessageContent.of(access, found.mailboxId, url.uid)
}

/** A user is named by his address, or by what stands before its @ where the domain goes without saying. */
export function isNamed({ address }: Account, user: string, domain = domainOf(address)): boolean {
  const named = user.toLowerCase()
  const own = address.toLowerCase()
  if (named === own) return true
  return domain === domainOf(own) && named === own.slice(0, Math.max(0, own.lastIndexOf('@')))
}

/** Of an address, in lower case. */
function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

type UrlQuestion = Extract<Question, { kind: 'sign url' | 'reset key' | 'fetch url' }>
type UrlAccess = Pick<ImapAccess, 'store' | 'world'>

/** Of a key, in octets. */
const KEY_OCTETS = 32
/** The version of the token, and its HMAC. */
const VERSION = '01'

export async function answerUrl(access: UrlAccess, question: UrlQuestion): Promise<Answer> {
  const { account } = question
  switch (question.kind) {
    case 'sign url':
      return sign(access, account, question.url)
    case 'reset key': {
      const { mailbox: name } = question
      const named = name === undefined ? {} : { name }
      const folder = name === undefined ? undefined : { accountId: account.id, name }
      if (folder && (await access.store.read(folderStatus, folder)) === undefined) {
        return noSuchMailbox
      }
      await access.store.write(forgetUrlKeys, { accountId: account.id, ...named })
      return { kind: 'done' }
    }
    case 'fetch url':
      return fetchUrl(access, question)
  }
}

/** §7: why not is nobody's business. */
async function fetchUrl(
  access: UrlAccess,
  { account, url, as, structure }: Extract<Question, { kind: 'fetch url' }>,
): Promise<Answer> {
  const allowed = (to: string, domain: string) =>
    to === 'anonymous' ||
    to === 'authuser' ||
    (to.startsWith('user+') && isNamed(account, to.slice(5), domain))
  const content = await signedContent(access, url, allowed)
  if (typeof content === 'string') return { kind: 'absent' }
  const { section, partial } = url
  const data = await content.section({ section, as, ...(partial && { partial }) })
  if (data.kind === 'absent') return data
  const told = structure && (await structureOf(content, section, data, as, structure.utf8))
  return { kind: 'named', data, ...(told !== undefined && { structure: told }) }
}

/** RFC 5524 §3.2: of the data as it is told, so that what was decoded has no encoding any more. */
async function structureOf(
  content: MessageContent,
  { part, text }: ImapUrl['section'],
  data: SectionAnswer,
  as: 'octets' | 'binary',
  utf8: boolean,
): Promise<string | undefined> {
  const found = text === '' ? findPart(await content.structure(), part) : undefined
  if (found === undefined) return undefined
  const decoded = as === 'binary' && data.kind === 'octets' && found.kind === 'leaf'
  const shown = { bodyFrom: 0, bodyTo: decoded ? data.sizeOctets : 0, encoding: 'binary' }
  return formatStructure(decoded ? { ...found, ...shown } : found, false, utf8)
}

/** §6: of one's own mailbox, by one's own name. */
async function sign(access: UrlAccess, account: Account, url: ImapUrl): Promise<Answer> {
  const { store, world } = access
  const owner = await ownerOf(access, url)
  if (owner?.id !== account.id) {
    return { kind: 'no', code: 'NOPERM', why: 'only URLs of your own mailboxes are signed for you' }
  }
  const found = await store.read(folderStatus, { accountId: account.id, name: url.mailbox })
  if (found === undefined) return noSuchMailbox
  const fresh = world.random.octets(KEY_OCTETS)
  const key = await store.write(keepUrlKey, { mailboxId: found.mailboxId, fresh })
  return { kind: 'signed', token: tokenOf(key, url) }
}

/**
 * What a signed URL names, where its token is right, its time has not passed and its access is for who asks: else it is
 * 'denied'. 'gone' where all that is so and there is nothing by that name.
 * @param allowed a name without a domain is of that of the mailbox's owner
 */
export async function signedOctets(
  access: UrlAccess,
  url: ImapUrl,
  allowed: (access: string, domain: string) => boolean,
): Promise<NamedOctets | 'denied' | 'gone'> {
  const content = await signedContent(access, url, allowed)
  return typeof content === 'string' ? content : ((await octetsOf(content, url)) ?? 'gone')
}

async function signedContent(
  access: UrlAccess,
  url: ImapUrl,
  allowed: (access: string, domain: string) => boolean,
): Promise<MessageContent | 'denied' | 'gone'> {
  const { store, world } = access
  const { authority } = url
  const owner = await ownerOf(access, url)
  if (authority === undefined || owner === undefined) return 'denied'
  if (!allowed(authority.access, domainOf(owner.address))) return 'denied'
  if ((authority.expiresAt ?? Number.MAX_SAFE_INTEGER) <= world.clock.now()) return 'denied'
  const found = await store.read(folderStatus, { accountId: owner.id, name: url.mailbox })
  const key = found && (await store.read(urlKeyOf, found.mailboxId))
  if (key === undefined || authority.mechanism !== 'INTERNAL') return 'denied'
  const [right, given] = [tokenOf(key, url), authority.token ?? ''].map(each => Buffer.from(each))
  if (right?.length !== given?.length || !timingSafeEqual(right as Buffer, given as Buffer)) {
    return 'denied'
  }
  return (await contentBehind(access, owner, url)) ?? 'gone'
}

function tokenOf(key: Uint8Array, { authority }: ImapUrl): string {
  const hmac = createHmac('sha256', key).update(authority?.rump ?? '')
  return VERSION + hmac.digest('hex')
}

/** A user is an address (its @ written as %40), or a name in the domain of the URL's host, or in the one above it. */
async function ownerOf(
  { store }: Pick<ImapAccess, 'store'>,
  { user = '', host = '' }: ImapUrl,
): Promise<Account | undefined> {
  const domain = host.replace(/:\d+$/, '')
  const names = user.includes('@')
    ? [user]
    : [`${user}@${domain}`, `${user}@${domain.slice(domain.indexOf('.') + 1)}`]
  for (const name of names) {
    const found = await store.read(findAccount, canonicalAddress(name))
    if (found !== undefined && !found.disabled) return { id: found.id, address: found.address }
  }
  return undefined
}
