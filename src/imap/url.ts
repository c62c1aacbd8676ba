/**
 * IMAP URLs that name a message or a part of one (RFC 5092), as CATENATE (RFC 4469) and URLAUTH (RFC 4467) use them:
 * `imap://joe@example.org/Drafts;UIDVALIDITY=3/;UID=20/;SECTION=1.2`, or the same from its third slash on.
 */
import { Cursor } from './cursor.ts'
import { type Partial, readSection, type Section } from './fetch-item.ts'
import { decodeName } from './mailbox-name.ts'

export interface ImapUrl {
  /** Whose mailbox it is; absent in a relative one. */
  readonly user?: string
  readonly host?: string
  readonly mailbox: string
  readonly uidValidity?: number
  readonly uid: number
  readonly section: Section
  readonly partial?: Partial
  readonly authority?: Authority
}

/** `;EXPIRE=...;URLAUTH=access:mechanism:token` (RFC 4467 §3). */
export interface Authority {
  readonly expiresAt?: number
  /** `submit+joe`, `user+joe`, `authuser` or `anonymous`; lower case but for the name. */
  readonly access: string
  readonly mechanism?: string
  readonly token?: string
  /** What the token is of: all up to the access. */
  readonly rump: string
}

const URL_MAX_CHARS = 2_000

const FORM =
  /^(?:imap:\/\/(?:([^;@/]+)(?:;AUTH=[^@/]*)?@)?([^/@]+))?\/([^;]+?)(?:;UIDVALIDITY=(\d{1,10}))?\/;UID=(\d{1,10})(?:\/;SECTION=([^;]+?))?(?:\/;PARTIAL=(\d{1,15})(?:\.(\d{1,15}))?)?(?:;EXPIRE=([^;]+))?(?:;URLAUTH=([^:;]+)(?::([\w.-]+):([0-9A-Fa-f]+))?)?$/i

/** Undefined where it is no such URL. */
export function parseImapUrl(text: string): ImapUrl | undefined {
  const match = text.length > URL_MAX_CHARS ? null : FORM.exec(text)
  if (match === null) return undefined
  const [, user, host, box = '', validity, uid, part, from, count, expires, access] = match
  const mailbox = unescaped(box)
  const name = mailbox === undefined ? undefined : decodeName(octets(mailbox), true)
  const section = sectionOf(part === undefined ? '' : unescaped(part))
  const owner = user === undefined ? undefined : unescaped(user)
  const expiresAt = expires === undefined ? undefined : Date.parse(expires)
  if (name === undefined || section === undefined || Number(uid) === 0) return undefined
  if ((user !== undefined && owner === undefined) || Number.isNaN(expiresAt)) return undefined
  if (expires !== undefined && access === undefined) return undefined
  const authority = access === undefined ? undefined : authorityOf(text, match, expiresAt)
  if (access !== undefined && authority === undefined) return undefined
  return {
    ...(owner === undefined ? {} : { user: owner }),
    ...(host === undefined ? {} : { host: host.toLowerCase() }),
    mailbox: name,
    ...(validity === undefined ? {} : { uidValidity: Number(validity) }),
    uid: Number(uid),
    section,
    ...(from === undefined ? {} : { partial: partialOf(from, count) }),
    ...(authority && { authority }),
  }
}

/** access = "submit+" userid / "user+" userid / "authuser" / "anonymous". */
function authorityOf(
  text: string,
  match: RegExpExecArray,
  expiresAt: number | undefined,
): Authority | undefined {
  const [access = '', mechanism, token] = match.slice(10)
  const [, kind = '', name] = /^(submit\+|user\+|authuser$|anonymous$)(.*)$/i.exec(access) ?? []
  if (kind === '' || (kind.endsWith('+') && name === '')) return undefined
  const behind = token === undefined ? 0 : token.length + (mechanism ?? '').length + 2
  return {
    ...(expiresAt === undefined ? {} : { expiresAt }),
    access: kind.toLowerCase() + (unescaped(name ?? '') ?? ''),
    ...(mechanism === undefined ? {} : { mechanism: mechanism.toUpperCase() }),
    ...(token === undefined ? {} : { token: token.toLowerCase() }),
    rump: text.slice(0, text.length - behind),
  }
}

function sectionOf(text: string | undefined): Section | undefined {
  if (text === undefined) return undefined
  const cursor = new Cursor([`${octets(text)}]`])
  const section = readSection(cursor)
  cursor.expect(']')
  cursor.end()
  return cursor.fault === undefined ? section : undefined
}

/** Without a count it goes to the end (RFC 5092 §2). */
function partialOf(from: string, count: string | undefined): Partial {
  return {
    from: Number(from),
    count: count === undefined ? Number.MAX_SAFE_INTEGER : Number(count),
  }
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function octets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
