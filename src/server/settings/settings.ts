/**
 * Every setting of a Postrider: its name, default, unit and meaning, in one schema. From it come
 * the types, the validation (all errors at once), `--set` and docs/configuration.md. A config file
 * writes durations as '4h' and sizes as '50MB'; `Settings` holds ms and octets under the same names.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { HookFunctions } from '../../hook/hook.ts'
import { authSchema } from './auth.ts'
import { bodiesSchema } from './bodies.ts'
import { addressFamily, eightBit, hopsSchema, smarthostSchema, sourceAddress } from './hops.ts'
import {
  certificateFiles,
  count,
  domainPattern,
  duration,
  emailAddress,
  hostname,
  secret,
  size,
} from './kinds.ts'
import { limitsSchema } from './limits.ts'
import { listenersSchema } from './listener.ts'
import { noticesSchema } from './notices.ts'
import { fetchSchema, onDemandSchema } from './on-demand.ts'
import { routesSchema } from './routes.ts'
import { jitterSchema, retrySchema, schedulesSchema } from './schedules.ts'
import { shapingSchema } from './shaping.ts'
import { submissionSchema } from './submission.ts'
import { batvSchema, rewriteSchema, srsSchema, verpSchema } from './transit.ts'

const queue = z.strictObject({
  retry: retrySchema()
    .prefault(['1m', '5m', '15m', '30m', '1h'])
    .describe('Waits between attempts; the last one repeats.'),
  jitter: jitterSchema()
    .default(0.1)
    .describe('The share of each wait that is left to chance, so that retries spread.'),
  delayWarning: duration().prefault('4h').describe('When the sender is told of a delay; 0 never.'),
  expire: duration(1).prefault('5d').describe('When a message is given up and reported.'),
  schedules: schedulesSchema
    .default([])
    .describe(
      'Other times for some destinations: the first that matches, what it leaves out as above.',
    ),
  inDoubt: z
    .strictObject({
      wait: duration()
        .prefault('0s')
        .describe('The least time until the next attempt; the schedule holds beside it.'),
      tries: count(3).describe('Attempts that may end so before `afterwards`.'),
      afterwards: z
        .enum(['retry', 'hold', 'bounce'])
        .default('retry')
        .describe(
          'Go on by the schedule, hold it for you to look at, or give it up with a notice.',
        ),
    })
    .prefault({}),
  priorityPolicy: z
    .string()
    .regex(/^[\w.-]{1,20}$/, 'is no name of at most 20 letters, digits, `-`, `_` and `.`')
    .exactOptional()
    .describe('The name of your rules for priorities, told in EHLO (MT-PRIORITY, RFC 6710).'),
  deliverByMin: duration()
    .prefault('0s')
    .describe(
      'The least time that a sender may set with BY and R (DELIVERBY, RFC 2852); 0 is none.',
    ),
  concurrency: count(2000, 2).describe(
    'Messages in memory at once on their way; half of them to one place.',
  ),
  keepLedger: duration(1).prefault('30d').describe('How long settled messages stay on record.'),
})

const checkpoint = z.strictObject({
  keep: duration(1)
    .prefault('48h')
    .describe('How long the received part of an interrupted message is kept (RFC 1845).'),
  remember: duration(1)
    .prefault('7d')
    .describe('How long a transaction that was accepted is known, so that a repeat makes no copy.'),
  perPeer: size(0).prefault('200MB').describe('How much is kept for one peer.'),
  total: size(0).prefault('2GB').describe('How much is kept in all.'),
})

const outbound = z.strictObject({
  smarthost: smarthostSchema
    .exactOptional()
    .describe(
      'Sends all outgoing mail by this host: `HOST:PORT` (TLS where it is offered), or its parts.',
    ),
  hops: hopsSchema
    .default({})
    .describe('Next hops by name, for `routes` and for their senders (`senders`).'),
  hostname: hostname().exactOptional().describe('Our name in EHLO, if not `hostname`.'),
  srs: srsSchema
    .exactOptional()
    .describe(
      'Under whose name mail is forwarded that an alias sends on elsewhere. Absent: the sender keeps his.',
    ),
  batv: batvSchema.exactOptional().describe('Tags on reverse-paths, so that bounces are known.'),
  verp: verpSchema
    .exactOptional()
    .describe('A reverse-path of its own for each recipient of a list.'),
  port: z.int().min(1).max(65_535).default(25).describe('The port of other mail servers.'),
  connectTimeout: duration(1).prefault('30s').describe('How long a connection may take.'),
  replyTimeout: duration(1)
    .prefault('5m')
    .describe('How long a reply may take (RFC 5321 §4.5.3.2); the last one twice that.'),
  tls: z
    .enum(['opportunistic', 'require', 'never'])
    .default('opportunistic')
    .describe('TLS towards other servers: where offered, verified always, or never.'),
  sourceAddress: sourceAddress()
    .exactOptional()
    .describe("Addresses of ours to connect from; of several at random one of the host's family."),
  addressFamily: addressFamily()
    .default('any')
    .describe('IPv4 or IPv6 alone, one before the other, or both in turn.'),
  eightBit: eightBit()
    .default('convert')
    .describe('8-bit mail for a server without 8BITMIME: re-encoded, or sent as it is.'),
  refusedGreeting: z
    .enum(['wait', 'bounce'])
    .default('wait')
    .describe(
      'Mail whose hosts all greet with a refusal (5yz): it waits, but for 521 of MX hosts (RFC 7504); or it bounces.',
    ),
  identity: certificateFiles()
    .exactOptional()
    .describe('The certificate we show to servers that ask for one.'),
  connectionsPerDestination: count(20).describe('Connections at once to one destination.'),
  initialConnections: count(1).describe(
    'Connections at once to a destination of which nothing is known yet; while all goes well they double.',
  ),
  failedCohorts: count(1).describe(
    'How often as many loads as are under way to a destination must fail, none getting through, until it counts as down and is only probed.',
  ),
  knownReplies: z
    .boolean()
    .default(true)
    .describe(
      'Whether we stop for a while when a big provider says that it has had enough for now; a rule of `shaping` with the name `google`, `yahoo` or `outlook` replaces ours.',
    ),
  connections: count(200).describe('Outgoing connections at once in all.'),
  idle: duration().prefault('5s').describe('How long an idle connection is kept for more mail.'),
})

const domain = z.union([
  hostname(),
  z.strictObject({
    name: hostname().describe('The domain.'),
    catchAll: emailAddress().exactOptional().describe('Takes what no other address takes.'),
  }),
])

/** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`: a server of names has none itself. */
function isNameServer(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return isIP(text) !== 0
  const port = Number(match[3] ?? 53)
  return isIP(match[1] ?? (match[2] as string)) !== 0 && port > 0 && port <= 65_535
}

/** The schema of the data part of a config. Hooks are functions and stay in their own thread. */
export const settingsSchema = z.strictObject({
  hostname: hostname()
    .default('localhost')
    .describe('Our name in greetings, Received fields and notices: the one our PTR names.'),
  data: z
    .string()
    .min(1)
    .default('/var/lib/postrider')
    .describe('The folder of database, staged messages, certificate and sockets.'),
  database: secret()
    .refine(url => /^postgres(?:ql)?:\/\/\S+$/.test(url), {
      message: 'is no postgres://USER:PASSWORD@HOST:PORT/NAME',
    })
    .exactOptional()
    .describe(
      'A PostgreSQL that several nodes share, as a URL. Absent: SQLite in the data folder.',
    ),
  bodies: bodiesSchema.prefault({}),
  user: z
    .string()
    .min(1)
    .exactOptional()
    .describe('The user to become after binding, when started as root.'),
  banner: z
    .string()
    .max(200)
    .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
    .default('Postrider')
    .describe('Text behind the name in the SMTP greeting.'),
  listeners: listenersSchema.prefault({}),
  tls: z
    .union([certificateFiles(), z.array(certificateFiles()).min(1)])
    .transform(written => (Array.isArray(written) ? written : [written]))
    .exactOptional()
    .describe(
      'The certificate shown to clients, read again when it changes; of several the name that a client asks for chooses (SNI), else the first. Absent: self-made.',
    ),
  auth: authSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  queue: queue.prefault({}),
  notices: noticesSchema.prefault({}),
  rewrite: rewriteSchema.prefault({}),
  shaping: shapingSchema
    .default([])
    .describe('How much goes where: each rule that matches a destination holds for it.'),
  checkpoint: checkpoint.prefault({}),
  outbound: outbound.prefault({}),
  routes: routesSchema
    .default([])
    .describe('Where mail goes: the first rule that matches; else where it goes without rules.'),
  noSoliciting: z
    .array(z.string().regex(/^[a-z][\w.:-]*$/i, 'is no class, such as com.example:ADV'))
    .refine(classes => classes.join(',').length <= 1000, 'are more than 1000 characters')
    .default([])
    .describe(
      'Classes of solicitation that are refused: told in EHLO (NO-SOLICITING, RFC 3865), looked for in SOLICIT and `Solicitation:`.',
    ),
  undelete: z
    .strictObject({
      keep: duration()
        .prefault('7d')
        .describe(
          'How long expunged mail is kept for `postrider undelete`; 0 not at all. It counts towards no quota.',
        ),
    })
    .prefault({}),
  quota: z
    .strictObject({
      storage: size(0)
        .prefault('0')
        .describe('Octets that an account may hold, if it has no quota of its own; 0 is no limit.'),
      messages: count(0, 0).describe('Messages that it may hold; 0 is no limit.'),
    })
    .prefault({}),
  submission: submissionSchema.prefault({}),
  addresses: z
    .strictObject({
      separator: z
        .string()
        .max(1)
        .default('+')
        .describe('Parts the local part from its detail (joe+list); empty switches it off.'),
      postmaster: emailAddress()
        .exactOptional()
        .describe('Who reads postmaster and abuse; absent: the first account.'),
    })
    .prefault({}),
  domains: z.array(domain).default([]).describe('Domains we take mail for, beside those by CLI.'),
  relayDomains: z
    .array(domainPattern())
    .default([])
    .describe(
      'Domains of others whose mail is taken from anybody and carried on by `routes`; `*.example.org` for all below one.',
    ),
  aliases: z
    .record(emailAddress(), z.union([emailAddress(), z.array(emailAddress()).min(1)]))
    .default({})
    .describe('An address and its one or many targets, here or elsewhere.'),
  onDemand: onDemandSchema
    .default({})
    .describe('Domains of customers whose mail we take and keep until it is asked for, by name.'),
  fetch: fetchSchema
    .default([])
    .describe('Providers who keep mail for us, asked for it regularly (ATRN, ETRN, TURN).'),
  dns: z
    .strictObject({
      servers: z
        .array(z.string().refine(isNameServer, 'is no IP address, such as 192.0.2.53 or [::1]:53'))
        .exactOptional()
        .describe("Name servers, `ADDRESS` or `ADDRESS:PORT`; absent: the system's."),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('What is logged.'),
    })
    .prefault({}),
  hookBudget: duration(10)
    .prefault('2s')
    .describe('How long a hook may think; over it the answer is 451 4.3.0.'),
})

/** What the server works with: every setting present, durations in ms, sizes in octets. */
export type Settings = z.output<typeof settingsSchema>

/** What a user writes: all optional, durations and sizes with their units. */
export type Config = z.input<typeof settingsSchema> & {
  /** Your own policy: functions that answer a session's questions. Only in .ts and .js files. */
  readonly hooks?: HookFunctions
}

/** The names of the listeners that speak to clients. */
export type ListenerName = Exclude<keyof Settings['listeners'], 'control'>

export { defineConfig } from '../define-config.ts'
