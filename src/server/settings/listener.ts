/**
 * The settings of the listeners: where each waits for connections and what it allows there. Every
 * listener has its own schema, so that a setting that means nothing to it is an error, not noise.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { Extension, Keyword, Service } from '../../smtp/extension/extension.ts'
import { extensions } from '../../smtp/extension/table.ts'
import { mechanisms } from './auth.ts'
import { networks } from './kinds.ts'

const enabled = (value: boolean) =>
  z.boolean().default(value).describe('Whether this listener exists.')

const address = (value: string) =>
  z
    .string()
    .refine(text => isIP(text) !== 0 || text === 'localhost', {
      error: ({ input }) => `"${String(input)}" is no IP address, such as 127.0.0.1, or :: for all`,
    })
    .default(value)
    .describe('The IP address to listen on; `::` is every address, IPv6 and IPv4.')

const port = (value: number) =>
  z.int().min(0).max(65_535).default(value).describe('The TCP port; 0 picks a free one.')

const startTls = () => z.boolean().default(true).describe('Whether STARTTLS (STLS) is offered.')

/** Off, a password is refused in the clear; on, it may come so, and the listener must be out of strangers' reach. */
const plaintextAuth = () =>
  z
    .boolean()
    .default(false)
    .describe(
      'Whether passwords are taken in the clear: only on a loopback address, for a proxy that ends TLS or for tests.',
    )

/** No password may cross a network that others can listen to. */
function outOfReach(
  { address, plaintextAuth }: { readonly address: string; readonly plaintextAuth: boolean },
  context: z.RefinementCtx,
): void {
  if (!plaintextAuth || /^(?:127\.[0-9.]+|::1|localhost)$/.test(address)) return
  const message = `passwords in the clear are for a loopback address only, not for ${address}: use 127.0.0.1 or ::1, or leave it off`
  context.addIssue({ code: 'custom', path: ['plaintextAuth'], message })
}

const bareLineEnds = (value: 'refuse' | 'normalize') =>
  z
    .enum(['refuse', 'normalize'])
    .default(value)
    .describe('CR or LF alone in a message: `refuse` it, or `normalize` it to CRLF.')

/** A keyword in capitals, however it is written; TypeScript configs are offered the known ones. */
const keyword = (known: readonly Extension[]) =>
  z
    .preprocess(
      (written: Keyword): unknown =>
        typeof written === 'string' ? written.toUpperCase() : written,
      z.enum(known.map(extension => extension.keyword)),
    )
    .meta({ unit: 'keywords' })

/** Only what is off at this kind of listener can be switched on there. */
const switchedOn = (service: Service) =>
  z
    .array(keyword(extensions.filter(extension => isOffAt(extension, service))))
    .default([])
    .describe('SMTP extensions to switch on, such as `EXPN`: what is off by default (docs/rfc.md).')

function isOffAt({ onAt, onlyAt }: Extension, service: Service): boolean {
  return onAt?.includes(service) === false && onlyAt?.includes(service) !== false
}

const without = () =>
  z.array(keyword(extensions)).default([]).describe('SMTP extensions to switch off (docs/rfc.md).')

const proxyProtocol = () =>
  networks().describe(
    'Networks of proxies: who connects from there must begin with a PROXY header (v1 or v2), and its client counts.',
  )

const vrfy = () =>
  z
    .enum(['unsure', 'answer', 'refuse'])
    .default('unsure')
    .describe('VRFY: 252 always, who is here (250, 550, 553), or 502 (RFC 5321 §3.5).')

/** Routes in recipients, from before there was DNS. */
const oldRoutes = () => ({
  sourceRoutes: z
    .enum(['ignore', 'refuse'])
    .default('ignore')
    .describe(
      'A source route before a recipient (`<@a:u@b>`): left out, or refused with 550 (RFC 5321 §3.6.1).',
    ),
  percent: z
    .enum(['refuse', 'normalize'])
    .default('refuse')
    .describe('`u%b@ours` of nobody here: refused as unknown, or read as `u@b`.'),
  uucp: z
    .enum(['refuse', 'normalize'])
    .default('refuse')
    .describe('`b!u@ours` of nobody here: refused as unknown, or read as `u@b` (RFC 976).'),
})

/** What a peer may say of others, where it connects from one of these networks. */
const trusts = () => ({
  xclient: networks().describe(
    'Networks of peers that may say by XCLIENT whose connection it really is.',
  ),
  xforward: networks().describe(
    'Networks of peers that may say by XFORWARD whom a message came from: for the ledger alone.',
  ),
})

const priorityMax = (value: number) =>
  z
    .int()
    .min(0)
    .max(9)
    .default(value)
    .describe(
      'The most that MT-PRIORITY may ask for here (RFC 6710); what asks for more gets this.',
    )

const clientCertificates = () =>
  z
    .strictObject({
      roots: z.string().min(1).describe('PEM file: the authorities whose certificates count.'),
      required: z
        .boolean()
        .default(false)
        .describe('Whether there is no TLS without one that they verify.'),
    })
    .exactOptional()
    .describe('Asks clients for a certificate of their own (RFC 3207 §4.1).')

/** What POP3 and IMAP have on either of their ports. */
const reading = (number: number) => ({
  enabled: enabled(true),
  address: address('::'),
  port: port(number),
  proxyProtocol: proxyProtocol(),
  clientCertificates: clientCertificates(),
  mechanisms: mechanisms(),
})

const socketPath = (value: string, what: string) =>
  z.string().min(1).default(value).describe(`${what}; relative to the data folder.`)

/** `listeners`, with its defaults. */
export const listenersSchema = z.strictObject({
  smtp: z
    .strictObject({
      enabled: enabled(true),
      address: address('::'),
      port: port(25),
      proxyProtocol: proxyProtocol(),
      clientCertificates: clientCertificates(),
      bareLineEnds: bareLineEnds('refuse'),
      priorityMax: priorityMax(0),
      startTls: startTls(),
      vrfy: vrfy(),
      ...oldRoutes(),
      with: switchedOn('mx'),
      without: without(),
      ...trusts(),
    })
    .prefault({})
    .describe('Mail from other servers (RFC 5321): local recipients only, never relays.'),
  submission: z
    .strictObject({
      enabled: enabled(true),
      address: address('::'),
      port: port(587),
      proxyProtocol: proxyProtocol(),
      mechanisms: mechanisms(),
      clientCertificates: clientCertificates(),
      bareLineEnds: bareLineEnds('normalize'),
      priorityMax: priorityMax(9),
      startTls: startTls(),
      plaintextAuth: plaintextAuth(),
      vrfy: vrfy(),
      ...oldRoutes(),
      with: switchedOn('submission'),
      without: without(),
      ...trusts(),
    })
    .superRefine(outOfReach)
    .prefault({})
    .describe('Mail from users who log in (RFC 6409), secured by STARTTLS.'),
  submissions: z
    .strictObject({
      enabled: enabled(true),
      address: address('::'),
      port: port(465),
      proxyProtocol: proxyProtocol(),
      mechanisms: mechanisms(),
      clientCertificates: clientCertificates(),
      bareLineEnds: bareLineEnds('normalize'),
      priorityMax: priorityMax(9),
      vrfy: vrfy(),
      ...oldRoutes(),
      with: switchedOn('submission'),
      without: without(),
      ...trusts(),
    })
    .prefault({})
    .describe('The same under TLS from the first octet (RFC 8314).'),
  lmtp: z
    .strictObject({
      enabled: enabled(false),
      address: address('127.0.0.1'),
      port: port(24).refine(number => number !== 25, {
        message: 'LMTP must not be on port 25 (RFC 2033 §5); 24 is the usual one',
      }),
      proxyProtocol: proxyProtocol(),
      mechanisms: mechanisms(),
      path: z
        .string()
        .min(1)
        .exactOptional()
        .describe('A Unix socket in place of address and port; relative to the data folder.'),
      clientCertificates: clientCertificates(),
      bareLineEnds: bareLineEnds('refuse'),
      priorityMax: priorityMax(9),
      startTls: z
        .boolean()
        .default(true)
        .describe('Whether STARTTLS is offered; never on a Unix socket.'),
      requireAuth: z
        .boolean()
        .default(false)
        .describe('Whether the other server must log in, under TLS, before it may deliver.'),
      vrfy: vrfy(),
      ...oldRoutes(),
      with: switchedOn('lmtp'),
      without: without(),
      ...trusts(),
    })
    .prefault({})
    .describe(
      'Local delivery on behalf of another mail server (RFC 2033): trusts who reaches it, or logs in.',
    ),
  odmr: z
    .strictObject({
      enabled: enabled(false),
      address: address('::'),
      port: port(366),
      proxyProtocol: proxyProtocol(),
      mechanisms: mechanisms(),
      clientCertificates: clientCertificates(),
      bareLineEnds: bareLineEnds('refuse'),
      startTls: startTls(),
      vrfy: vrfy(),
      ...oldRoutes(),
      with: switchedOn('odmr'),
      without: without(),
    })
    .prefault({})
    .describe('Customers who log in and take the mail kept for them by ATRN (RFC 2645).'),
  pop3: z
    .strictObject({
      ...reading(110),
      startTls: startTls(),
      plaintextAuth: plaintextAuth(),
    })
    .superRefine(outOfReach)
    .prefault({})
    .describe('Reading mail by POP3 (RFC 1939), secured by STLS.'),
  pop3s: z
    .strictObject(reading(995))
    .prefault({})
    .describe('Reading mail by POP3 under TLS from the first octet (RFC 8314).'),
  imap: z
    .strictObject({
      ...reading(143),
      startTls: startTls(),
      plaintextAuth: plaintextAuth(),
    })
    .superRefine(outOfReach)
    .prefault({})
    .describe('Reading mail by IMAP (RFC 9051, RFC 3501), secured by STARTTLS.'),
  imaps: z
    .strictObject(reading(993))
    .prefault({})
    .describe('Reading mail by IMAP under TLS from the first octet (RFC 8314).'),
  mtqp: z
    .strictObject({
      enabled: enabled(false),
      address: address('::'),
      port: port(1038),
      proxyProtocol: proxyProtocol(),
      startTls: startTls(),
    })
    .prefault({})
    .describe(
      'What became of marked messages (MTRK), for who can prove that he sent them (RFC 3887).',
    ),
  http: z
    .strictObject({ enabled: enabled(true), address: address('127.0.0.1'), port: port(8025) })
    .prefault({})
    .describe('/metrics, /health and /ready. Has no login: keep it on loopback.'),
  local: z
    .strictObject({
      enabled: enabled(true),
      path: socketPath('local.sock', 'The Unix socket'),
      bareLineEnds: bareLineEnds('normalize'),
      priorityMax: priorityMax(9),
      vrfy: vrfy(),
      ...oldRoutes(),
      with: switchedOn('submission'),
      without: without(),
    })
    .prefault({})
    .describe('Submission by users of this machine through the `sendmail` command.'),
  inetd: z
    .strictObject({
      enabled: enabled(false),
      path: socketPath('inetd.sock', 'The Unix socket, mode 0600'),
    })
    .prefault({})
    .describe(
      'Connections that inetd has taken on port 25 and `sendmail -bs` hands over: served as `smtp`, as coming from where they do.',
    ),
  control: z
    .strictObject({ path: socketPath('control.sock', 'The Unix socket, mode 0600') })
    .prefault({})
    .describe('Where the command line reaches the running server.'),
})
