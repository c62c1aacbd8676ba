/** The steps about a POP3 or IMAP server: as those about SMTP, and a greeting, TLS and logins of its own. */
import { type Finding, finding } from '../finding.ts'
import { address } from '../host/address.ts'
import { certificate } from '../host/certificate.ts'
import { connect } from '../host/connect.ts'
import type { Addressed } from '../host/context.ts'
import { tlsFailed } from '../host/tls.ts'
import type { Step } from '../step.ts'
import type { MailboxTalk } from './talk.ts'

export interface MailboxContext extends Addressed {
  readonly protocol: 'pop3' | 'imap'
  readonly talk: MailboxTalk
}

export const mailboxSteps: readonly Step<MailboxContext>[] = [
  address,
  connect,
  { name: 'greeting', run: greeting },
  { name: 'tls', run: tls, tookMs: ({ talk }) => talk.transcript.tlsTookMs },
  { name: 'login', run: login },
  { name: 'end', run: end },
]

function greeting({ protocol, talk }: MailboxContext): readonly Finding[] {
  if (talk.connect.fault !== undefined) return []
  const { greeting: line, trouble } = talk.shown
  if (line === undefined) {
    if (trouble === undefined) return []
    return [finding(trouble === 'timed out' ? 'greeting-silent' : 'greeting-none', trouble)]
  }
  const right = protocol === 'pop3' ? line.startsWith('+OK') : /^[*] (?:OK|PREAUTH)/i.test(line)
  if (right) return [finding('greeted', line)]
  const refused = /^(?:-ERR|[*] BYE)/i.test(line)
  return [finding(refused ? 'greeting-refused' : 'another-protocol', line)]
}

/** Where users log in, a certificate that is wrong is a fault. */
function tls({ clock, host, talk, pins, forTests }: MailboxContext): readonly Finding[] {
  const { shown, tlsFault, transcript } = talk
  if (tlsFault !== undefined) return [tlsFailed(tlsFault, shown.clear !== undefined)]
  const facts = transcript.tls
  if (facts !== undefined) {
    const works = finding('tls-works', `${facts.protocol} with ${facts.cipher}`)
    const old = facts.protocol === 'TLSv1.3' ? [] : [finding('tls-old', facts.protocol)]
    const severity = forTests ? 'warning' : 'fault'
    const wanted = { severity, ...(pins && { pins }) } as const
    return [works, ...old, ...certificate(facts, host.name, clock.now(), wanted)]
  }
  if (shown.tlsRefused !== undefined) return [finding('tls-refused', shown.tlsRefused, 'fault')]
  return shown.clear === undefined ? [] : [finding('tls-missing', 'it is not offered', 'fault')]
}

function login({ protocol, talk }: MailboxContext): readonly Finding[] {
  const { clear, secured } = talk.shown
  const last = secured ?? clear
  if (last === undefined) return []
  const offered = mechanisms(protocol, last)
  const how = secured === undefined ? 'in clear text' : 'under TLS'
  const before = clear === undefined ? [] : mechanisms(protocol, clear).filter(isPlaintext)
  return [
    offered.length > 0
      ? finding('login-offered', `${offered.join(' ')} ${how}`)
      : finding('login-missing', 'no way to log in is offered'),
    ...(before.length > 0 ? [finding('login-in-clear', `${before.join(' ')} before TLS`)] : []),
  ]
}

function end({ talk: { shown, tlsFault } }: MailboxContext): readonly Finding[] {
  if (shown.trouble === undefined || shown.greeting === undefined || tlsFault) return []
  const slow = shown.trouble === 'timed out' || shown.trouble === 'it took too long'
  return [finding(slow ? 'too-slow' : 'session-ended', shown.trouble)]
}

/** SASL mechanisms, and the login of the protocol itself as `USER` or `LOGIN`. */
function mechanisms(protocol: 'pop3' | 'imap', capabilities: readonly string[]): readonly string[] {
  if (protocol === 'imap') {
    const sasl = capabilities.flatMap(each => (each.startsWith('AUTH=') ? each.slice(5) : []))
    return capabilities.includes('LOGINDISABLED') ? sasl : [...new Set(['LOGIN', ...sasl])]
  }
  const listed = capabilities.find(each => each.startsWith('SASL '))
  const sasl = listed?.split(' ').slice(1) ?? []
  return capabilities.some(each => /^USER\b/.test(each)) ? ['USER', ...sasl] : sasl
}

function isPlaintext(name: string): boolean {
  return ['USER', 'LOGIN', 'PLAIN', 'XOAUTH2', 'OAUTHBEARER'].includes(name)
}
