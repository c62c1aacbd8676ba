/**
 * What an IMAP URL names (RFC 5092), for who may read it: his own, for CATENATE; what another has signed for him, for
 * URLFETCH and BURL (RFC 4467). A token is an HMAC over the URL up to its access, by the key of its mailbox.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonicalAddress } from '../account/address.ts'
import { findAccount } from '../account/reader.ts'
import type { Answer, Question, SectionAnswer } from '../imap/server/question.ts'
import type { ImapUrl } from '../imap/url.ts'
import { folderStatus } from '../mailbox/folder.ts'
import { forgetUrlKeys, keepUrlKey, urlKeyOf } from '../mailbox/url-key.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { noSuchMailbox } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'

export type NamedOctets = Extract<SectionAnswer, { kind: 'octets' }>

/** Undefined where there is no such thing, or it is not his to read; of another server nothing is read. */
export async function octetsBehind(
  access: Pick<ImapAccess, 'store' | 'world'>,
  account: Account,
  url: ImapUrl,
): Promise<NamedOctets | undefined> {
  if (url.user !== undefined && !isNamed(account, url.user)) return undefined
  const place = await placeOf(access, account, url.mailbox)
  if (place === undefined || lacking(place, 'r')) return undefined
  const folder = { accountId: place.ownerId, name: place.name }
  const found = await access.store.read(folderStatus, folder)
  if (found === undefined) return undefined
  if (url.uidValidity !== undefined && url.uidValidity !== found.uidValidity) return undefined
  const content = await MessageContent.of(access, found.mailboxId, url.uid)
  const { section, partial } = url
  const answer = await content?.section({ section, as: 'octets', ...(partial && { partial }) })
  return answer?.kind === 'octets' ? answer : undefined
}

/** A user is named by his address, or by what stands before its @. */
export function isNamed({ address }: Account, user: string): boolean {
  const named = user.toLowerCase()
  const own = address.toLowerCase()
  return named === own || named === own.slice(0, Math.max(0, own.lastIndexOf('@')))
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
      const named = question.mailbox === undefined ? {} : { name: question.mailbox }
      await access.store.write(forgetUrlKeys, { accountId: account.id, ...named })
      return { kind: 'done' }
    }
    case 'fetch url': {
      const allowed = (to: string) =>
        to === 'anonymous' ||
        to === 'authuser' ||
        (to.startsWith('user+') && isNamed(account, to.slice(5)))
      return (await signedOctets(access, question.url, allowed)) ?? { kind: 'absent' }
    }
  }
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
 * What a signed URL names, where its token is right, its time has not passed and its access is for who asks. §7: why not
 * is nobody's business.
 */
export async function signedOctets(
  access: UrlAccess,
  url: ImapUrl,
  allowed: (access: string) => boolean,
): Promise<NamedOctets | undefined> {
  const { store, world } = access
  const { authority } = url
  const owner = await ownerOf(access, url)
  if (authority === undefined || owner === undefined || !allowed(authority.access)) return undefined
  if ((authority.expiresAt ?? Number.MAX_SAFE_INTEGER) <= world.clock.now()) return undefined
  const found = await store.read(folderStatus, { accountId: owner.id, name: url.mailbox })
  const key = found && (await store.read(urlKeyOf, found.mailboxId))
  if (key === undefined || authority.mechanism !== 'INTERNAL') return undefined
  const [right, given] = [tokenOf(key, url), authority.token ?? ''].map(each => Buffer.from(each))
  if (right?.length !== given?.length || !timingSafeEqual(right as Buffer, given as Buffer)) {
    return undefined
  }
  return octetsBehind(access, owner, url)
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
