/**
 * What a refusal means. Servers say it in words that no RFC has; those of the common ones are known here. Called by
 * the steps for greeting, EHLO, MAIL and RCPT with a reply of 4yz or 5yz.
 */
import type { Reply } from '../../mail/status.ts'
import { classOf, replyText } from '../../smtp/client/talk.ts'
import type { FindingName } from '../catalogue.ts'
import { type Finding, finding } from '../finding.ts'

/** The first that fits is meant; tried on status code and text, as `5.7.1 text`. */
const KNOWN: readonly (readonly [RegExp, FindingName])[] = [
  [
    /spamhaus|spamcop|barracuda|block ?list|black ?list|dnsbl|\brbl\b|reputation|listed (?:at|by|in|on)/i,
    'blocked-here',
  ],
  [
    /reverse (?:dns|hostname|lookup|name|address)|\bptr\b|\brdns\b|fcrdns|^[45]\.7\.2[57]/i,
    'our-reverse-wanted',
  ],
  [/\b(?:helo|ehlo)\b/i, 'our-name-refused'],
]

/** Of a recipient alone. */
const OF_RECIPIENTS: readonly (readonly [RegExp, FindingName])[] = [
  [/gr[ea]y-?list/i, 'recipient-greylisted'],
  [/relay/i, 'relaying-denied'],
  [/^[45]\.2\.2|quota|mailbox (?:is )?full|over ?quota/i, 'recipient-full'],
  [
    /^[45]\.1\.[16]|unknown (?:user|recipient|local)|(?:user|recipient|mailbox)\b.{0,40}\b(?:unknown|unavailable|not (?:found|exist)|does(?: not|n't) exist)|no such|no mailbox/i,
    'recipient-unknown',
  ],
]

/** @param otherwise what it is where its words say nothing more */
export function refusal(what: string, reply: Reply, otherwise: FindingName): Finding {
  return finding(nameOf(reply, KNOWN) ?? otherwise, `${what}: ${replyText(reply)}`)
}

/** RCPT that was refused. */
export function recipientRefusal(what: string, reply: Reply): Finding {
  const text = `${what}: ${replyText(reply)}`
  if (reply.code === 530 || reply.code === 535) return finding('login-required', text)
  const known = nameOf(reply, [...KNOWN, ...OF_RECIPIENTS])
  if (known !== undefined) return finding(known, text)
  if (classOf(reply) === 4) return finding('recipient-later', text)
  if (reply.detail?.startsWith('7.') === true || reply.code === 554) {
    return finding('recipient-blocked', text)
  }
  // RFC 5321 §4.2.3: 550 is "mailbox unavailable" where nothing else is said.
  return finding('recipient-refused', text)
}

function nameOf(
  reply: Reply,
  known: readonly (readonly [RegExp, FindingName])[],
): FindingName | undefined {
  const status = reply.detail === undefined ? '' : `${classOf(reply)}.${reply.detail} `
  const text = status + reply.lines.join(' ').slice(0, 1_000)
  return known.find(([shape]) => shape.test(text))?.[1]
}
