/**
 * The settings of what a peer may do and cost: `limits`. What they mean is limit/'s and that of the protocols;
 * used by settings.ts. The defaults are for a small server on the open Internet, and this machine itself is
 * exempt from what would hurt development and tests.
 */
import { z } from 'zod'
import type { Rate } from '../../limit/tally.ts'
import { parseRate } from '../../wire/measure.ts'
import { count, duration, networks, size } from './kinds.ts'
import { outgoingOfSchema, outgoingSchema } from './outgoing.ts'

/** `300/min`, `50/10m`; `off` is none. */
const rate = (usual: string, meaning: string) =>
  z
    .string()
    .transform((text, context): Rate | undefined => {
      if (text === 'off') return undefined
      const found = parseRate(text)
      if (found !== undefined) return found
      const message = `"${text}" is no rate: write a number by time, such as 300/min, 50/10m or off`
      context.issues.push({ code: 'custom', message, input: text })
      return z.NEVER
    })
    .meta({ unit: 'rate' })
    .prefault(usual)
    .describe(meaning)

const rates = z.strictObject({
  connections: rate('300/min', 'Connections; else 421 4.7.0, BYE, -ERR.'),
  commands: rate('60000/min', 'Commands of all sessions; else 421 4.7.0, BYE, -ERR.'),
  errors: rate('200/10m', 'Errors; beyond, the address is banned.'),
  badRecipients: rate('100/1h', 'Recipients who are not here; beyond, the address is banned.'),
  messages: rate('1200/min', 'Messages of who has not logged in; else 450 4.7.1.'),
  recipients: rate('12000/min', 'Recipients of who has not logged in; else 450 4.7.1.'),
})

const tarpit = z.strictObject({
  after: count(5, 0).describe('Errors in a session that cost nothing.'),
  first: duration()
    .prefault('1s')
    .describe('How long the reply to the next waits; 0 is not at all.'),
  longest: duration()
    .prefault('10s')
    .describe('Each waits by `first` longer than the one before, up to this.'),
})

const bans = z.strictObject({
  first: duration().prefault('10m').describe('The first ban of an address; 0: none are made.'),
  longest: duration(1000)
    .prefault('1d')
    .describe('Each is three times as long as the last, up to this.'),
  forget: duration(1000)
    .prefault('1d')
    .describe('For each such time since its end the next ban is one step shorter.'),
})

const overload = z.strictObject({
  memory: size(0)
    .prefault('0')
    .describe('Resident memory; 0: four fifths of what the machine or its container has.'),
  heap: z
    .int()
    .min(0)
    .max(100)
    .default(90)
    .describe('Percent of what the JavaScript heap may become; 0 is not looked at.'),
  delay: duration()
    .prefault('3s')
    .describe('How late the event loop runs, as a mean of some seconds; 0 is not looked at.'),
})

/** `limits`, with its defaults. */
export const limitsSchema = z.strictObject({
  messageSize: size().prefault('50MB').describe('The largest message taken (SIZE, RFC 1870).'),
  recipients: count(1000, 100).describe('Recipients of one message (RFC 5321 §4.5.3.1.8).'),
  recipientDomains: count(0, 0).describe(
    'Different domains among the recipients of one session (LIMITS, RFC 9422); 0 is no limit.',
  ),
  connections: count(10_000).describe('Connections at once in all.'),
  perAddress: z
    .int()
    .min(1)
    .max(10_000_000)
    .exactOptional()
    .describe(
      'Connections at once from one IP address (IPv6: one /64). Absent: 50, and half of all for this machine and for trusted proxies; a number is for everybody.',
    ),
  perNetwork: count(200).describe(
    'Connections at once from one network: an IPv4 /24, an IPv6 /64.',
  ),
  perAccount: z
    .int()
    .min(1)
    .max(10_000_000)
    .exactOptional()
    .describe(
      'Sessions at once of one account, on this node. Absent: 100, and half of all connections from this machine.',
    ),
  exempt: networks(['127.0.0.0/8', '::1']).describe(
    'Networks exempt from bans, rates and tarpits; never from logins, relaying or the rules for senders.',
  ),
  rates: rates.prefault({}).describe('How much one address may do in a time (IPv6: one /64).'),
  tarpit: tarpit.prefault({}).describe('Replies to errors wait, longer and longer.'),
  bans: bans.prefault({}).describe('Addresses that are turned away for a while, by all nodes.'),
  overload: overload
    .prefault({})
    .describe('Beyond any of these new work is turned away: 421 4.3.2, 452 4.3.1, BYE, -ERR.'),
  errors: count(50).describe('Errors in one session before it is closed.'),
  commands: count(1_000_000, 0).describe(
    'Commands in one session before it is closed; 0: no limit.',
  ),
  sessionTime: duration().prefault('1d').describe('How long a session may last; 0: no limit.'),
  loginTime: duration(1000).prefault('3m').describe('How long POP3 and IMAP wait for a login.'),
  bytesPerSecond: count(50, 0).describe(
    'How slowly content may come in or leave at least, over `dataTimeout`; 0: any octet will do.',
  ),
  transactions: count(100_000).describe('Messages in one session before it is closed.'),
  commandTimeout: duration(1)
    .prefault('5m')
    .describe('How long a peer may take for a command (RFC 5321 §4.5.3.2.7).'),
  dataTimeout: duration(1).prefault('5m').describe('How long content may stand still.'),
  imapTimeout: duration(1)
    .prefault('30m')
    .describe('Idle time of an IMAP session (RFC 9051 §5.4).'),
  imapMessages: count(0, 0).describe(
    'Messages that one IMAP command works on, the newest first (MESSAGELIMIT, RFC 9738); 0: all, as clients expect.',
  ),
  imapSaves: count(100_000, 0).describe(
    'Messages that one COPY or APPEND may make (SAVELIMIT, RFC 9738); 0 is no limit.',
  ),
  popTimeout: duration(1).prefault('10m').describe('Idle time of a POP3 session (RFC 1939 §3).'),
  freeSpace: size(0)
    .prefault('10MB')
    .describe(
      'Free space of the disk that is kept for the mail already here: what would take it is answered 452 4.3.1.',
    ),
  hops: count(100).describe('Received fields before a message is in a loop (RFC 5321 §6.3).'),
  acceptQueue: count(1000).describe('Messages waiting to be made durable before 451 is said.'),
  loginFailures: count(10, 0).describe(
    'Different wrong logins from one address in ten minutes, then it is banned; 0: no limit.',
  ),
  loginFailuresPerSession: count(10, 1).describe('Failed logins before a session is closed.'),
  outgoing: outgoingSchema
    .prefault({})
    .describe(
      'What one account may send, by hours and days of UTC, over all nodes; else 450 or 452.',
    ),
  outgoingOf: outgoingOfSchema
    .default({})
    .describe('The same for some accounts, by address, in place of what holds for all.'),
  localPerMinute: count(600).describe('Messages a minute taken from local users in all.'),
})
