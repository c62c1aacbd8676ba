/**
 * What the settings say of logins: by which mechanisms at which listener, and hence in which forms
 * passwords are kept; what the account room is told.
 */
import type { AccountSettings, HashCost } from '../account/settings.ts'
import { kindsFor } from '../account/verifier.ts'
import { parseStoredAddress } from '../mail/address.ts'
import type { House } from './house.ts'
import { MAIL_LISTENERS } from './settings/listener-name.ts'
import type { ListenerName, Settings } from './settings/settings.ts'

/** Strongest first. Of the hash kept for each nothing is weaker than that of SCRAM-SHA-256. */
const SCRAM = ['SCRAM-SHA-512-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512', 'SCRAM-SHA-256']

const KERBEROS = ['GSSAPI', 'GSS-SPNEGO']

/** Without a word of the config. A directory tells whether a password is right, and not what SCRAM needs. */
function usual({ auth }: Settings): readonly string[] {
  const elsewhere = [auth.ldap, auth.http, auth.saslauthd].some(each => each !== undefined)
  const tokens = auth.oauth === undefined ? [] : ['OAUTHBEARER', 'XOAUTH2']
  const tickets = auth.kerberos === undefined ? [] : ['GSSAPI']
  return ['EXTERNAL', ...tickets, ...tokens, ...(elsewhere ? [] : SCRAM), 'PLAIN', 'LOGIN']
}

/** Listeners on which somebody may log in. */
const LOGIN_LISTENERS = MAIL_LISTENERS.filter(name => name !== 'smtp' && name !== 'mtqp')

/** By which service a listener's protocol is called in Kerberos. Others have none. */
const KERBEROS_SERVICE: Readonly<Partial<Record<ListenerName, string>>> = {
  ...{ submission: 'smtp', submissions: 'smtp', imap: 'imap', imaps: 'imap' },
  ...{ pop3: 'pop', pop3s: 'pop' },
}

/** @param services those of Kerberos for which there is a key (Authorities.kerberos) */
export function mechanismsAt(
  settings: Settings,
  name: ListenerName,
  services: readonly string[] = [],
): readonly string[] {
  const { auth, listeners, onDemand } = settings
  const listener = listeners[name]
  const own = 'mechanisms' in listener ? listener.mechanisms : undefined
  const named = own ?? auth.mechanisms ?? usual(settings)
  const service = KERBEROS_SERVICE[name]
  const tickets = service !== undefined && services.includes(service)
  const wanted = named
    .filter(each => each !== 'ANONYMOUS' || auth.anonymous !== undefined)
    .filter(each => !KERBEROS.includes(each) || tickets || carriesNtlm(each, named))
  // RFC 2645 §5.1.2 wants CRAM-MD5, for which the two sides must share a secret.
  const shared = Object.values(onDemand).some(({ secret }) => secret !== undefined)
  const added = name === 'odmr' && shared && !wanted.includes('CRAM-MD5') ? ['CRAM-MD5'] : []
  return [...wanted, ...added]
}

/** Without a key for tickets GSS-SPNEGO carries NTLM, where that is on; of GSSAPI every client expects tickets. */
function carriesNtlm(mechanism: string, named: readonly string[]): boolean {
  return mechanism === 'GSS-SPNEGO' && named.includes('NTLM')
}

/** Those that may be had at a listener of a running server. */
export function mechanismsOf(
  { settings, others }: Pick<House, 'settings' | 'others'>,
  name: ListenerName,
): readonly string[] {
  return mechanismsAt(settings(), name, others?.authorities?.().kerberos?.services)
}

/** Names that are no SASL mechanisms, but switch on what a protocol has of its own. */
export function isSasl(name: string): boolean {
  return name !== 'APOP'
}

export function accountSettings(settings: Settings, cost: HashCost): AccountSettings {
  const { separator, postmaster } = settings.addresses
  const { passwordKey, actAs, certificates, anonymous } = settings.auth
  return {
    separator,
    quota: { octets: settings.quota.storage, messages: settings.quota.messages },
    hostname: settings.hostname.toLowerCase(),
    ...(postmaster ? { postmaster: parseStoredAddress(postmaster) } : {}),
    cost,
    loginCacheMs: 5 * 60_000,
    verifiers: kindsFor(mechanismsOfAccounts(settings)),
    realm: settings.hostname,
    ...(passwordKey !== undefined && { passwordKey }),
    ...{ actAs, certificates },
    ...(anonymous !== undefined && { anonymous }),
  }
}

/** Those of all listeners that serve accounts. What ODMR adds has secrets of its own. */
function mechanismsOfAccounts(settings: Settings): readonly string[] {
  const { auth, listeners } = settings
  const own = LOGIN_LISTENERS.map(name => listeners[name])
    .filter(listener => listener.enabled)
    .map(listener => listener.mechanisms ?? auth.mechanisms ?? usual(settings))
  return own.flat()
}
