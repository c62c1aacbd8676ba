/**
 * What a URL names for who submits by it (BURL, RFC 4468 §3.3): one that the owner of a mailbox here has signed for
 * him (RFC 4467), or for any who have logged in. Called by the submission role; never asks another server.
 */
import { parseImapUrl } from '../imap/url.ts'
import type { Referred } from '../inbound/role.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { ImapAccess } from './imap.ts'
import { isNamed, signedOctets } from './imap-url.ts'

export async function referredBy(
  access: Pick<ImapAccess, 'store' | 'world'>,
  account: Account,
  text: string,
): Promise<Referred> {
  const url = parseImapUrl(text)
  if (url?.authority === undefined) return { kind: 'elsewhere' }
  // §3.3: `submit+` is for nobody but the one it names.
  const allowed = (to: string, domain: string) =>
    to === 'anonymous' ||
    to === 'authuser' ||
    (/^(?:submit|user)\+/.test(to) && isNamed(account, to.slice(to.indexOf('+') + 1), domain))
  const named = await signedOctets(access, url, allowed)
  return typeof named === 'string' ? { kind: named } : named
}
