/**
 * Every finding there is: how grave it usually is, what kind of trouble it means to a script, and what to do about it.
 * docs/diagnose.md prints this table (catalogue.test.ts compares). The steps say what exactly they found.
 */
import type { Severity } from './finding.ts'

/** What kind of trouble: the command line has an exit code for each. */
export type Trade = 'name' | 'reach' | 'later' | 'protocol' | 'tls' | 'permission' | 'recipient'

export interface Entry {
  readonly usually: Severity
  readonly trade: Trade
  /** In plain words, to whoever runs the server or its domain. Absent where nothing is to be done. */
  readonly remedy?: string
}

const good = (trade: Trade): Entry => ({ usually: 'good', trade })
const note = (trade: Trade, remedy?: string): Entry => ({
  usually: 'note',
  trade,
  ...(remedy === undefined ? {} : { remedy }),
})
const warning = (trade: Trade, remedy: string): Entry => ({ usually: 'warning', trade, remedy })
const fault = (trade: Trade, remedy: string): Entry => ({ usually: 'fault', trade, remedy })

/** What stands in the DNS under a domain. */
const names = {
  'mail-hosts': good('name'),
  'no-such-domain': fault(
    'name',
    'check the spelling; if it is right, register the domain or publish its records',
  ),
  'name-for-tests': note(
    'name',
    'nobody else can ever reach a name under .test, .example, .invalid or .localhost (RFC 6761): for real mail take a domain of yours',
  ),
  'dns-fails': fault(
    'later',
    'try again later; if it stays, the name servers of the domain (or our own resolver) are broken',
  ),
  'null-mx': fault(
    'name',
    'the domain says that it takes no mail (RFC 7505): there is no address to write to. To take mail, replace the MX record `0 .`',
  ),
  'null-mx-among-others': warning(
    'name',
    'remove the MX record `0 .`, or all the others (RFC 7505 §3)',
  ),
  'no-mx': note(
    'name',
    'mail goes to the address of the domain itself; publish an MX record to say so',
  ),
  'mx-is-address': fault(
    'name',
    'an MX record names a host, never an address: give the host a name and an address record of its own (RFC 5321 §5.1)',
  ),
  'mx-is-no-host-name': fault(
    'name',
    'an MX record names a host of letters, digits and hyphens: correct it',
  ),
  'mx-without-address': fault(
    'name',
    'publish an A or AAAA record for this host, or remove the MX record',
  ),
  'mx-is-alias': warning(
    'name',
    'an MX record must name a host with address records, not an alias (RFC 2181 §10.3): name what the CNAME names',
  ),
  'mx-repeated': note('name', 'remove the second record'),
  'mx-too-many': note(
    'name',
    'few senders try more than ten hosts: remove those that matter least',
  ),
  'mx-elsewhere': fault(
    'name',
    'point an MX record of the domain at this server, or remove the domain here',
  ),
  'no-usable-host': fault('name', 'publish at least one MX record whose host has a usable address'),
  'only-ipv4': note(
    'name',
    'hosts that have IPv6 alone cannot send to this domain: add an AAAA record where the server has IPv6',
  ),
} as const satisfies Record<string, Entry>

/** What a domain says about itself in TXT records: looked at, not judged. */
const records = {
  'spf-found': good('name'),
  'spf-missing': note(
    'name',
    'publish `v=spf1 mx -all` (or what is true) as TXT, so that others can refuse forgeries',
  ),
  'spf-several': warning(
    'name',
    'keep one SPF record: with several, all of them count for nothing (RFC 7208 §4.5)',
  ),
  'spf-allows-all': warning(
    'name',
    '`+all` lets the whole world send as this domain: end the record with `-all` or `~all`',
  ),
  'dmarc-found': good('name'),
  'dmarc-missing': note(
    'name',
    'publish `v=DMARC1; p=none; rua=mailto:...` at _dmarc, and read the reports',
  ),
  'dmarc-several': warning(
    'name',
    'keep one DMARC record: with several, none counts (RFC 7489 §6.6.3)',
  ),
  'sts-found': note('name'),
  'tls-reports-found': note('name'),
  'dkim-found': good('name'),
  'dkim-missing': warning(
    'name',
    'publish the public key under this selector, or name the right one',
  ),
  'dkim-revoked': warning(
    'name',
    'an empty p= revokes the key: sign with another, or publish it again',
  ),
} as const satisfies Record<string, Entry>

/** The address of a host, and the way to it. */
const reach = {
  'address-private': fault(
    'reach',
    'nobody outside reaches a private address: publish the public one',
  ),
  'address-loopback': fault(
    'reach',
    'every sender finds itself under this address: publish the public one',
  ),
  'address-unusable': fault('reach', 'this is no address of a host: publish the right one'),
  'reverse-good': good('name'),
  'reverse-missing': note(
    'name',
    'ask whoever gave you the address for a PTR record: without one many servers take no mail from it',
  ),
  'reverse-unconfirmed': note(
    'name',
    'the name in the PTR record must have this address in turn: publish it, or correct the PTR record',
  ),
  'reverse-unknown': note('later'),
  connected: good('reach'),
  'connect-slow': note('reach'),
  'connect-refused': fault(
    'reach',
    'nothing listens on this port: start the server, or correct port and address',
  ),
  'connect-silent': fault(
    'reach',
    'a firewall drops what is sent there, or the host is down; many networks block port 25 outwards, so try from elsewhere too',
  ),
  'connect-unreachable': fault(
    'reach',
    'there is no way to this network from here: look at routes and firewalls on both sides',
  ),
  'connect-fails': fault('reach', 'look at the firewall and at the server behind this port'),
  'family-missing': note(
    'reach',
    'this machine has no address of this family, so nothing is said about the host: try from one that has',
  ),
  'port-25-blocked': warning(
    'reach',
    'no host at all answers on port 25: most likely the network we are in blocks it outwards; ask your provider, or use a smart host',
  ),
} as const satisfies Record<string, Entry>

/** From the greeting to EHLO. */
const opening = {
  greeted: good('protocol'),
  'greeting-silent': fault(
    'protocol',
    'the server took the connection and said nothing: it is overloaded, waits for a dead name server, or wants TLS first (--tls implicit)',
  ),
  'greeting-none': fault(
    'protocol',
    'the connection is closed without a word: a block list, a limit, or a proxy with nothing behind it',
  ),
  'greeting-refused': fault(
    'permission',
    'read what it says: the host takes no mail, or none from this address',
  ),
  'another-protocol': fault('protocol', 'no SMTP is spoken on this port: correct port and host'),
  'greeting-masked': warning(
    'protocol',
    'a firewall rewrites SMTP ("fixup", "inspect esmtp"): switch that off, it breaks extensions and TLS',
  ),
  'greeting-nameless': warning(
    'protocol',
    'the greeting begins with the full name of the host (RFC 5321 §4.2): set its hostname',
  ),
  'greeting-other-name': note(
    'protocol',
    'the name it greets with should lead to its address: set its hostname, or publish the record',
  ),
  'greeting-long': note('protocol', 'several lines are legal; old clients trip over them'),
  'greeting-slow': warning(
    'protocol',
    'senders may give up on a slow greeting: look at name look-ups and block lists that do not answer',
  ),
  'blocked-here': fault(
    'permission',
    'the server refuses this very address of ours: look it up in the list that it names, and ask there to be removed',
  ),
  'our-reverse-wanted': fault(
    'permission',
    'the server wants a PTR record, confirmed by an address record, for the address we come from',
  ),
  'our-name-refused': fault(
    'permission',
    'say a full name of this machine by --hello NAME (hostname in the config)',
  ),
  extended: good('protocol'),
  extension: note('protocol'),
  'hello-only': warning(
    'protocol',
    'the server knows no EHLO, so there is no TLS, no SIZE, no 8BITMIME: update it, or switch off the firewall that hides it',
  ),
  'hello-refused': fault('protocol', 'read what it says to EHLO and HELO'),
  'hello-masked': warning(
    'protocol',
    'a firewall blots out extensions ("inspect esmtp"): switch that off',
  ),
  'hello-other-name': note('protocol', 'greeting and EHLO should give one name'),
  'hello-slow': warning(
    'protocol',
    'senders may give up: look at name look-ups that do not answer',
  ),
  'extensions-missing': note('protocol'),
  'size-small': warning('protocol', 'messages with a photograph are larger: raise the limit'),
} as const satisfies Record<string, Entry>

/** TLS and its certificate. */
const tls = {
  'tls-works': good('tls'),
  'tls-missing': warning(
    'tls',
    'everybody on the way can read the mail: set up a certificate and offer STARTTLS',
  ),
  'tls-refused': warning(
    'tls',
    'STARTTLS is offered and then refused: look at its certificate and key, and at its log',
  ),
  'tls-fails': fault(
    'tls',
    'the handshake fails, so that mail is late or goes in clear text: look at certificate, key and log of the server',
  ),
  'tls-too-old': fault('tls', 'the server has no TLS from version 1.2 on: update it'),
  'tls-not-first': fault('tls', 'this port speaks in clear text first: use --tls starttls'),
  'tls-old': note('tls', 'TLS 1.3 is faster and safer: update the server when it suits'),
  'tls-injection': fault(
    'tls',
    'the server answers in clear text behind the go-ahead of STARTTLS (CVE-2011-0411 and its kin): update it',
  ),
  'certificate-good': good('tls'),
  'certificate-self-signed': warning(
    'tls',
    "nobody can tell this server from an impostor: get a certificate from an authority (Let's Encrypt is free)",
  ),
  'certificate-incomplete': warning(
    'tls',
    'send the intermediate certificates too (fullchain.pem, not cert.pem)',
  ),
  'certificate-untrusted': warning(
    'tls',
    'its authority is not among those that systems trust: get a certificate from one that is, or trust it by --ca FILE',
  ),
  'certificate-expired': warning(
    'tls',
    'renew the certificate and see to it that renewal runs and is taken up',
  ),
  'certificate-expires-soon': warning(
    'tls',
    'renew the certificate: renewal should have run by now',
  ),
  'certificate-early': warning(
    'tls',
    'the certificate is not valid yet: set the clocks of the server and of this machine',
  ),
  'certificate-other-name': warning('tls', 'get a certificate that has this very name'),
  'certificate-pinned': good('tls'),
  'certificate-not-pinned': fault(
    'tls',
    'it is not the certificate that was pinned: ask its owner whether it was renewed, and pin the new one; else somebody stands between',
  ),
} as const satisfies Record<string, Entry>

/** Logins. */
const auth = {
  'login-offered': good('permission'),
  'login-in-clear': warning(
    'permission',
    'offer PLAIN and LOGIN under TLS only: passwords are read off the wire',
  ),
  'login-missing': fault('permission', 'nobody can log in to submit: switch on AUTH for this port'),
  'login-weak': note('permission', 'old mechanisms that no client needs any more: switch them off'),
  'login-works': good('permission'),
  'login-refused': fault('permission', "check name and password; the server's log knows more"),
  'login-unknown': fault(
    'permission',
    'no mechanism that we speak is offered: PLAIN under TLS will do for everybody',
  ),
  'login-unsafe': fault(
    'permission',
    'no password was sent, since the server could not be proven: mend its certificate, or trust it by --ca FILE',
  ),
} as const satisfies Record<string, Entry>

/** MAIL and RCPT; and what ends a dialogue before its time. */
const probes = {
  'recipient-taken': good('recipient'),
  'sender-refused': fault(
    'permission',
    'the null sender (<>) must be taken, or no notice ever comes in (RFC 5321 §4.5.5); of another sender, read what it says',
  ),
  'login-required': fault(
    'permission',
    'this port takes mail from its own users only: log in by --user, or ask port 25 of its MX hosts',
  ),
  'recipient-unknown': fault(
    'recipient',
    'there is no such mailbox: check the spelling, or create it',
  ),
  'recipient-full': fault('recipient', 'the mailbox is full: its owner must make room'),
  'recipient-later': fault('later', 'not now; a real sender would try again by itself'),
  'recipient-greylisted': warning(
    'later',
    'greylisting: a real sender is let in when it tries again after some minutes; nothing is broken',
  ),
  'recipient-blocked': fault('permission', 'refused by policy: read what it says'),
  'recipient-refused': fault('recipient', 'read what it says'),
  'relaying-denied': fault(
    'permission',
    'this host does not take mail for the domain: correct the MX record, or make the domain known to the host',
  ),
  'utf8-missing': fault(
    'recipient',
    'the address is not ASCII and the server has no SMTPUTF8: use another address of the mailbox',
  ),
  'postmaster-refused': fault(
    'recipient',
    'postmaster must be taken in every domain (RFC 5321 §4.5.1): make an alias',
  ),
  'abuse-refused': warning('recipient', 'people report abuse to abuse@ (RFC 2142): make an alias'),
  'relay-refused': good('permission'),
  'open-relay': fault(
    'permission',
    'anybody can send spam through this server, and will: relay for those who have logged in alone, today',
  ),
  'relay-by-local-part': warning(
    'permission',
    'addresses such as user%other@here are taken: see that they are not sent on to other',
  ),
  'session-ended': fault(
    'protocol',
    'the server ended the session: read what it says, and its log',
  ),
  'out-of-protocol': fault(
    'protocol',
    'what came was no SMTP reply: look for a firewall or proxy that changes what is said',
  ),
  'too-slow': fault(
    'protocol',
    'it took so long that we gave up: the server is overloaded, or holds us back on purpose (a tarpit)',
  ),
} as const satisfies Record<string, Entry>

export const catalogue = {
  ...names,
  ...records,
  ...reach,
  ...opening,
  ...tls,
  ...auth,
  ...probes,
} as const satisfies Record<string, Entry>

export type FindingName = keyof typeof catalogue

/** One row for each finding, for docs/diagnose.md. */
export function catalogueTable(): string {
  const rows = Object.entries<Entry>(catalogue).map(
    ([name, { usually, remedy = '' }]) =>
      `| \`${name}\` | ${usually} | ${remedy.replaceAll('|', '\\|')} |`,
  )
  return ['| finding | usually | what to do |', '|---|---|---|', ...rows].join('\n')
}
