/**
 * Every reply the server session gives, each with the RFC that has it. The enhanced class follows
 * from the code (RFC 2034 §4); details are of RFC 3463 and RFC 5248. Texts of policy
 * verdicts pass through `verdictReply`, which lets nothing through that could break a line.
 */
import type { Detail, Reply } from '../mail/status.ts'
import type { Verdict } from '../mail/verdict.ts'
import { formatReply } from './reply.ts'

function reply(code: number, detail: Detail | undefined, ...lines: readonly string[]): Reply {
  return detail === undefined ? { code, lines } : { code, detail, lines }
}

export const replies = {
  /** RFC 5321 §3.1; RFC 2033 §4.1 for LMTP. */
  greeting: (hostname: string, protocol: 'smtp' | 'lmtp', banner: string): Reply =>
    reply(220, undefined, `${hostname} ${protocol === 'smtp' ? 'ESMTP' : 'LMTP'} ${banner}`.trim()),
  /** RFC 5321 §4.1.1.1. */
  hello: (lines: readonly string[]): Reply => reply(250, undefined, ...lines),
  /** RFC 5321 §4.1.1.2, detail by RFC 3463 §3.2. */
  senderOk: reply(250, '1.0', 'Sender OK'),
  /** RFC 6710 §4.1: the new priority, a space, and words. */
  priorityChanged: (priority: number): Reply =>
    reply(250, '3.6', `${priority} is the new priority of the message`),
  /** RFC 5321 §4.1.1.3. */
  recipientOk: reply(250, '1.5', 'Recipient OK'),
  /** RFC 5321 §4.1.1.4: an intermediate reply has no enhanced code. */
  startInput: reply(354, undefined, 'Start mail input; end with <CRLF>.<CRLF>'),
  /** RFC 1845 §3: the offset is the first thing in the line. */
  resumed: (octets: number): Reply => reply(355, undefined, `${octets} is the transaction offset`),
  resumeInput: (octets: number): Reply =>
    reply(354, undefined, `Go on with the message at octet ${octets}; end with <CRLF>.<CRLF>`),
  /** RFC 5321 §4.1.1.4 and §4.2.5: the responsibility is ours now. */
  accepted: (text: string | undefined, utf8: boolean, detail: Detail = '0.0'): Reply =>
    reply(250, detail, ...foldText(text ?? 'Message accepted', utf8)),
  /** RFC 3030 §2. */
  chunkOk: (octets: number): Reply => reply(250, '0.0', `${octets} octets received`),
  /** RFC 4468 §6. */
  included: (octets: number): Reply =>
    reply(250, '5.0', `${octets} octets included; waiting for more by BURL or BDAT`),
  /** RFC 5321 §4.1.1.5 and §4.1.1.9. */
  ok: reply(250, '0.0', 'OK'),
  /** RFC 5321 §4.1.1.8. */
  help: (verbs: readonly string[], extensions: readonly string[]): Reply =>
    reply(
      214,
      '0.0',
      `Commands: ${verbs.join(' ')}`,
      `Extensions: ${extensions.join(' ')}`,
      'HELP and one of these says more; RFC 5321 says the rest',
    ),
  helpOn: (lines: readonly string[]): Reply => reply(214, '0.0', ...lines),
  /** RFC 5321 §3.5.3: we would take mail for it, and do not tell more. */
  cannotVerify: reply(252, '1.5', 'Cannot verify, but will try to deliver'),
  /** RFC 5321 §7.3: where it is switched off the reply is 252, which nobody takes for a yes or a no. */
  cannotExpand: reply(252, '1.5', 'Cannot expand, but will try to deliver'),
  /** RFC 5321 §3.5.1: a 250 with a mailbox. */
  verified: (lines: readonly string[]): Reply => reply(250, '1.5', ...lines),
  /** RFC 5321 §4.1.1.10. */
  bye: (hostname: string): Reply => reply(221, '0.0', `${hostname} closing connection`),
  /** RFC 3207 §4. */
  readyForTls: reply(220, '0.0', 'Ready to start TLS'),
  /** RFC 1985 §5.3: the replies to ETRN, for which RFC 3463 has no detail. */
  queuingStarted: (node: string): Reply => reply(250, '0.0', `Queuing for node ${node} started`),
  nothingWaits: (node: string): Reply => reply(251, '0.0', `No messages waiting for node ${node}`),
  underWay: (node: string): Reply => reply(252, '0.0', `Pending messages for node ${node} started`),
  pendingStarted: (node: string, messages: number): Reply =>
    reply(253, '0.0', `${messages} pending messages for node ${node} started`),
  /** RFC 2645 §5.2.1. */
  rolesChange: reply(250, '0.0', 'OK now reversing the connection'),
  /** RFC 4954 §4: the text is the challenge. */
  challenge: (base64: string): Reply => reply(334, undefined, base64),
  /** RFC 4954 §6. */
  authenticated: reply(235, '7.0', 'Authentication succeeded'),

  /** RFC 5321 §4.5.3.2.7: the peer was silent for too long. */
  timeout: (hostname: string): Reply => reply(421, '4.2', `${hostname} timed out, closing`),
  /** RFC 5321 §3.8. */
  shutdown: (hostname: string): Reply =>
    reply(421, '3.2', `${hostname} is shutting down, try again soon`),
  /** RFC 5321 §4.3.2: 421 answers any command. */
  tooManyErrors: (hostname: string): Reply =>
    reply(421, '7.0', `${hostname} closing: too many errors`),
  /** RFC 4954 §4: after some failed logins, and not before three. */
  tooManyLogins: (hostname: string): Reply =>
    reply(421, '7.0', `${hostname} closing: too many failed logins`),
  dismissed: (hostname: string, why: string): Reply =>
    reply(421, '7.0', ...foldText(`${hostname} closing: ${why}`, false)),
  tooManyTransactions: (hostname: string): Reply =>
    reply(421, '7.0', `${hostname} closing: too many messages in one session`),
  notSmtp: (hostname: string): Reply => reply(421, '7.0', `${hostname} speaks SMTP, not HTTP`),
  pipelinedExchange: (hostname: string): Reply =>
    reply(421, '5.1', `${hostname} closing: nothing may be sent behind this command`),
  lineWithoutEnd: (hostname: string): Reply =>
    reply(421, '7.0', `${hostname} closing: the line has no end`),
  /** XCLIENT_README: the login cannot be looked up now. */
  cannotProceed: (hostname: string): Reply =>
    reply(421, '3.0', `${hostname} is unable to proceed, closing`),
  /** In place of a verdict that policy owed. */
  noVerdict: reply(451, '3.0', 'Local error, try again later'),
  /** RFC 9422: RCPTDOMAINMAX. */
  tooManyDomains: reply(452, '5.3', 'Too many domains, send to the others in a new session'),
  /** RFC 5321 §4.5.3.1.10. */
  tooManyRecipients: reply(452, '5.3', 'Too many recipients, send the others in a new transaction'),
  /** RFC 4954 §6. */
  loginUnavailable: reply(454, '7.0', 'Temporary authentication failure'),

  /** RFC 5321 §4.2.4. */
  unknownCommand: reply(500, '5.1', 'Command not recognized'),
  emptyCommand: reply(500, '5.2', 'Empty command'),
  /** RFC 5321 §4.5.3.1.9. */
  lineTooLong: reply(500, '5.2', 'Line too long'),
  /** RFC 5321 §2.3.8: CR and LF only together, and no NUL. */
  badOctets: reply(500, '5.2', 'NUL, or CR or LF alone, in a command'),
  badUtf8: reply(500, '5.2', 'Octets beyond ASCII in a command'),
  /** RFC 4954 §4: a line of the exchange over 12288 octets. */
  responseTooLong: reply(500, '5.6', 'Authentication exchange line is too long'),
  /** RFC 5321 §4.2.2. */
  needsArgument: reply(501, '5.4', 'An argument is missing'),
  takesNoArgument: reply(501, '5.4', 'This command takes no argument'),
  badHello: reply(501, '5.4', 'A domain or address literal is needed'),
  mailSyntax: reply(501, '5.4', 'Syntax: MAIL FROM:<address> [parameters]'),
  rcptSyntax: reply(501, '5.4', 'Syntax: RCPT TO:<address> [parameters]'),
  bdatSyntax: reply(501, '5.4', 'Syntax: BDAT octets [LAST]'),
  burlSyntax: reply(501, '5.4', 'Syntax: BURL url [LAST]'),
  authSyntax: reply(501, '5.4', 'Syntax: AUTH mechanism [initial-response]'),
  /** RFC 1985 §5.3. */
  etrnSyntax: reply(501, '5.4', 'Syntax: ETRN [@]domain'),
  atrnSyntax: reply(501, '5.4', 'Syntax: ATRN [domain,domain...]'),
  badSender: (why: string): Reply => reply(501, '1.7', `Bad sender address: ${why}`),
  badRecipient: (why: string): Reply => reply(501, '1.3', `Bad recipient address: ${why}`),
  /** XCLIENT_README and XFORWARD_README. */
  badAttribute: (name: string): Reply =>
    reply(501, '5.4', `Bad attribute ${name.slice(0, 40).replace(/[^\x21-\x7e]/g, '?')}`),
  noSuchLogin: reply(501, '5.4', 'Bad attribute LOGIN: there is no such account'),
  badParameters: (why: string): Reply => reply(501, '5.4', `Bad parameters: ${why}`),
  badParameter: (keyword: string): Reply => reply(501, '5.4', `Bad value of ${keyword}`),
  /** RFC 6710 §4.1 (1). */
  badPriority: reply(501, '5.2', 'MT-PRIORITY is a whole number from -9 to 9'),
  /** RFC 4865 §5.2.2. */
  releasedTooLate: reply(501, '5.4', 'It is to be delivered before it may leave'),
  /** RFC 3885 §3. */
  trackingNeedsName: reply(501, '5.4', 'MTRK needs ENVID'),
  /** RFC 4954 §4. */
  badBase64: reply(501, '5.2', 'Cannot decode the response'),
  serverBegins: reply(501, '7.0', 'This mechanism takes no initial response'),
  cancelled: reply(501, '7.0', 'Authentication cancelled'),
  /** RFC 5321 §4.2.4: known, not here. */
  notImplemented: reply(502, '5.1', 'Command not implemented'),
  /** RFC 5321 §3.1: what is said to all but QUIT behind a 554 at the greeting. */
  noService: reply(503, '5.1', 'There is no service here: QUIT'),
  /** RFC 5321 §4.1.4. */
  needsHello: reply(503, '5.1', 'Say hello first'),
  needsExtendedHello: reply(503, '5.1', 'Say EHLO first'),
  needsMail: reply(503, '5.1', 'MAIL first'),
  /** RFC 2033 §4.2. */
  needsRecipient: reply(503, '5.1', 'RCPT first'),
  /** RFC 5321 §3.3. */
  noValidRecipients: reply(554, '5.1', 'No valid recipients'),
  inTransaction: reply(503, '5.1', 'Not in the middle of a transaction'),
  /** RFC 1845 §3: a transaction goes on as it was, or not at all. */
  notOfTransaction: reply(503, '5.1', 'Not a recipient of the transaction that is gone on with'),
  /** RFC 3030 §2. */
  inChunks: reply(503, '5.1', 'Not between chunks'),
  needsReset: reply(503, '5.1', 'A chunk was refused: RSET first'),
  /** RFC 3030 §3. */
  binaryNeedsBdat: reply(503, '5.1', 'BODY=BINARYMIME needs BDAT'),
  alreadySecured: reply(503, '5.1', 'TLS is on already'),
  alreadyAuthenticated: reply(503, '5.1', 'Already authenticated'),
  /** RFC 5321 §4.3.2: HELP has 502 and 504. */
  unknownTopic: reply(504, '5.4', 'There is no help on that; HELP alone lists what there is'),
  /** RFC 4954 §4. */
  unknownMechanism: reply(504, '5.4', 'Unrecognized authentication mechanism'),
  /** RFC 4954 §6; RFC 3207 §4 has the same code. */
  loginNeeded: reply(530, '7.0', 'Authentication required'),
  /** RFC 8689 §4.1 asks for TLS; the detail is of RFC 5248. */
  tlsNeeded: reply(530, '7.10', 'REQUIRETLS needs TLS on this connection'),
  loginDenied: reply(535, '7.8', 'Authentication credentials invalid'),
  encryptionNeeded: reply(538, '7.11', 'Encryption required for this mechanism'),
  /** XCLIENT_README and XFORWARD_README: the peer is not one of those who may. */
  notTrusted: reply(550, '7.0', 'Insufficient authorization'),
  /** RFC 5321 §2.3.8 and §4.1.1.4: only CRLF ends a line. */
  bareLineEnd: reply(550, '6.0', 'CR or LF alone in the message; lines end with CRLF'),
  /** RFC 2045 §2.7, §2.8. */
  nulInContent: reply(554, '6.0', 'NUL in the message; send it with BDAT'),
  /** RFC 3865 §2.4: the classes that matched are named as MAIL names them. */
  unwanted: (classes: string): Reply => reply(550, '7.1', `SOLICIT=${classes} is not wanted here`),
  /** RFC 1870 §6.1 (3) and §6.2. */
  tooBig: reply(552, '3.4', 'Message exceeds the size limit'),
  /** RFC 5321 §3.6.1: who is asked to relay by a route may decline. */
  sourceRoute: reply(550, '7.1', 'Source routes are not followed here: name the recipient alone'),
  /** RFC 6531 §3.5. */
  needsUtf8: reply(553, '6.7', 'An address beyond ASCII needs SMTPUTF8'),
  /** RFC 2852 §3: R with less time than the least is refused for good. */
  deliverByTooSoon: (least: number): Reply =>
    reply(555, '5.4', `BY with R needs at least ${least} seconds here`),
  /** RFC 6531 §3.7.4.2. */
  needsUtf8Reply: reply(550, '6.8', 'The reply is in UTF-8, which SMTPUTF8 was not there to allow'),
  /** RFC 5321 §4.1.1.11. */
  unknownParameter: (keyword: string): Reply =>
    reply(555, '5.4', `Parameter ${keyword.slice(0, 40)} not recognized`),
} as const

/** The texts of the replies that are always the same: every message asks for three of them. */
const texts: ReadonlyMap<Reply, string> = new Map(
  Object.values(replies)
    .filter(each => typeof each !== 'function')
    .map(each => [each, formatReply(each)]),
)

/** A reply as it is sent. */
export function replyText(reply: Reply): string {
  return texts.get(reply) ?? formatReply(reply)
}

type Refusal = Exclude<Verdict, { kind: 'accept' }>

/**
 * What policy refused or deferred, as a reply. `utf8` lets characters beyond ASCII through. RFC 5321 §4.2.2: 421
 * says first whose service ends.
 */
export function verdictReply({ code, detail, text }: Refusal, hostname: string, utf8: boolean) {
  return reply(code, detail, ...foldText(code === 421 ? `${hostname} ${text}` : text, utf8))
}

/**
 * RFC 5321 §3.1: a refused connection reads 554 (or 521, RFC 7504), a deferred one 421; whichever it is, our name
 * is its first word (§4.3.1).
 */
export function greetingRefusal({ kind, code, detail, text }: Refusal, hostname: string): Reply {
  const said = kind === 'defer' ? 421 : code === 521 ? 521 : 554
  return reply(said, detail, ...foldText(`${hostname} ${text}`, false))
}

const CLEAN = /^[\x20-\x7e]+$/
/** Room for the code and the enhanced code in the 512 octets of RFC 5321 §4.5.3.1.5. */
const TEXT_MAX = 480
const LINES_MAX = 20

/** Text from anywhere as lines that can stand in a reply: no control characters, none too long. */
export function foldText(text: string, utf8: boolean): readonly string[] {
  if (text.length <= TEXT_MAX && CLEAN.test(text)) return [text]
  const cut = text.slice(0, TEXT_MAX * LINES_MAX).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
  const clean = utf8 ? cut.toWellFormed() : cut.replace(/[\u0080-\uffff]/g, '?')
  // A UTF-16 unit is at most three octets of UTF-8.
  const room = utf8 ? TEXT_MAX / 3 : TEXT_MAX
  const lines: string[] = []
  for (let at = 0; at < clean.length; at += room) lines.push(clean.slice(at, at + room))
  return lines.length === 0 ? [''] : lines
}
