/** `send`: composes a message and submits it, as a person or a test would; shows what was said. */
import { type Command, Option } from 'commander'
import type { Address } from '../../mail/address.ts'
import { formatAddress, isAscii } from '../../mail/address.ts'
import { parseAddressList } from '../../message/address-list.ts'
import { kindOf } from '../../message/encode.ts'
import { scanHeader } from '../../message/header.ts'
import { ExitError } from '../../server/exit-error.ts'
import type { Carry, HopFacts } from '../../smtp/client/question.ts'
import { parseDuration } from '../../wire/measure.ts'
import { pathExists } from '../../world/node/config-file.ts'
import { nodeRandom } from '../../world/node/random.ts'
import { composeDraft, type DraftFlags, fileOctets, mailboxes } from '../draft.ts'
import { EXIT } from '../exit.ts'
import { type Face, path, print } from '../face.ts'
import { locate } from '../locate.ts'
import { printable } from '../print.ts'
import { readLines, withoutBcc } from '../sendmail-message.ts'
import { reachServer, TLS_MODES, type TlsMode } from '../server-address.ts'
import { type Submitted, submit, verdictOf } from '../submit.ts'
import { passwordFrom } from './account.ts'

interface SendFlags extends Omit<DraftFlags, 'from'> {
  readonly from?: string
  readonly bcc?: readonly string[]
  readonly message?: string
  readonly server?: string
  readonly tls?: TlsMode
  readonly insecure?: boolean
  readonly ca?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly ask?: boolean
  readonly hello?: string
  readonly timeout: string
  readonly data?: string
  readonly config?: string
  readonly show?: boolean
  readonly json?: boolean
}

/** Where a server keeps its data unless told otherwise (settings.ts). */
const SYSTEM_DATA = '/var/lib/postrider'

const several = (value: string, all: readonly string[] = []) => [...all, value]

export function addSend(program: Command, face: Face): void {
  program
    .command('send')
    .description('write a message and submit it; the text comes from --body or standard input')
    .option('--from <address>', 'sender; else --user, else this login at this machine')
    .option('--to <address>', 'recipient; may be repeated', several)
    .option('--cc <address>', 'further recipient', several)
    .option('--bcc <address>', 'recipient that the others do not see', several)
    .option('--subject <text>', 'subject')
    .option('--body <text>', 'the text')
    .option('--body-file <file>', 'the text from a file (- is standard input)')
    .option('--html <file>', 'the same as HTML, from a file')
    .option('--attach <file>', 'attach a file; may be repeated', several)
    .option('--header <field>', "add a field, 'Name: value'", several)
    .option('--message <file>', 'send this message as it is, instead of writing one')
    .option('--server <host:port>', "the server; else this machine's own, by its local socket")
    .addOption(new Option('--tls <how>', 'how the connection is secured').choices(TLS_MODES))
    .option('--insecure', 'take any certificate')
    .option('--ca <file>', 'trust the certificates of this file')
    .option('--user <name>', 'log in')
    .option('--password-file <file>', 'with the password in this file (- is standard input)')
    .option('--ask', 'with a password that is asked for')
    .option('--hello <name>', 'what to call ourselves')
    .option('--timeout <duration>', 'how long to wait for each answer', '1m')
    .option('--data <folder>', 'the data folder of the local server', path)
    .option('--config <file>', 'its config file', path)
    .option('--show', 'print what was said')
    .option('--json', 'print JSON')
    .action((flags: SendFlags) => send(face, flags))
}

async function send(face: Face, flags: SendFlags): Promise<void> {
  const timeoutMs = parseDuration(flags.timeout)
  if (timeoutMs === undefined) throw new ExitError(EXIT.usage, '--timeout: such as 30s or 5m')
  const hostname = flags.hello ?? face.terminal.hostname()
  const own = flags.server === undefined ? await ownServer(face, flags) : {}
  const from = flags.from ?? senderOf(face, flags, own.hostname ?? hostname)
  const login = await loginOf(face, flags)
  const { octets, utf8 } = await messageOf(face, flags, from, hostname)
  const [sender] = mailboxes([from], '--from')
  const recipients = recipientsOf(flags, octets)
  const sent = withoutBcc(octets)
  const server = flags.server ?? own.socket
  const reached = await reachServer(face, {
    ...flags,
    ...(server !== undefined && { server }),
    timeoutMs,
  })
  const submitted = await submit({
    connection: reached.connection,
    hostname,
    startTls: reached.startTls,
    tls: reached.tls,
    trustedPlace: reached.trustedPlace,
    timeoutMs,
    carry: facts => carryOf(sender?.address ?? null, recipients, sent, utf8, facts),
    ...(login !== undefined && { login }),
  })
  report(face, flags, submitted, recipients.map(formatAddress))
}

/**
 * The server that is meant, found as by all commands: its name, and its socket, but for the system's own,
 * whose socket may lie elsewhere (local-sockets.ts).
 */
async function ownServer(
  face: Face,
  flags: SendFlags,
): Promise<{ readonly hostname?: string; readonly socket?: string }> {
  if (face.terminal.env('POSTRIDER_SOCKET')) return {}
  const { data, hostname, listeners } = await locate(face, flags)
  const { path: socket } = listeners.local
  if (pathExists(socket)) return { hostname, socket }
  if (data === SYSTEM_DATA) return { hostname }
  if (!pathExists(data)) return { hostname, socket }
  throw new ExitError(
    EXIT.tempFail,
    `the server of ${data} does not run: start it, or name another by --data FOLDER or --server HOST:PORT`,
  )
}

function senderOf(face: Face, flags: SendFlags, hostname: string): string {
  if (flags.user?.includes('@') === true) return flags.user
  return formatAddress({ local: face.terminal.user().name, domain: hostname.toLowerCase() })
}

async function loginOf(
  face: Face,
  flags: SendFlags,
): Promise<{ readonly username: string; readonly password: string } | undefined> {
  if (flags.user === undefined) return undefined
  if (flags.passwordFile === '-' && flags.body === undefined && flags.bodyFile === undefined) {
    throw new ExitError(EXIT.usage, 'standard input cannot be password and text: use --body')
  }
  const password =
    flags.passwordFile === undefined
      ? await face.terminal.ask('Password: ', true)
      : ((await passwordFrom(face, { passwordFile: flags.passwordFile })) as string)
  return { username: flags.user, password }
}

async function messageOf(
  face: Face,
  flags: SendFlags,
  from: string,
  hostname: string,
): Promise<{ readonly octets: Uint8Array; readonly utf8: boolean }> {
  if (flags.message === undefined) {
    const id = Buffer.from(nodeRandom.octets(12)).toString('hex')
    return composeDraft(face, { ...flags, from }, id, hostname)
  }
  const octets = withCrlf(fileOctets(flags.message))
  const header = scanHeader(octets)
  const utf8 = header.fields.some(field => !isAscii(header.text(field)))
  return { octets, utf8 }
}

/** A file of this machine ends its lines with LF, and no message does (RFC 5322 §2.3); what begins with CRLF is as it is to be. */
function withCrlf(octets: Uint8Array): Uint8Array {
  const lf = octets.indexOf(0x0a)
  if (lf < 0 || octets[lf - 1] === 0x0d) return octets
  return readLines(Buffer.from(octets), true)
}

/** Those of --to, --cc and --bcc; of a message file's own header where none was named, its Bcc too. */
function recipientsOf(flags: SendFlags, octets: Uint8Array): Address[] {
  const named = [
    ...mailboxes(flags.to ?? [], '--to'),
    ...mailboxes(flags.cc ?? [], '--cc'),
    ...mailboxes(flags.bcc ?? [], '--bcc'),
  ].map(mailbox => mailbox.address)
  const header = scanHeader(octets)
  const listed = ['to', 'cc', 'bcc']
    .flatMap(name => header.all(name))
    .flatMap(field => parseAddressList(header.text(field)).mailboxes)
    .map(mailbox => mailbox.address)
  const all = named.length > 0 ? named : listed
  const unique = new Map(all.map(address => [formatAddress(address), address]))
  if (unique.size === 0) throw new ExitError(EXIT.usage, 'nobody to send to: --to ADDRESS')
  return [...unique.values()]
}

function carryOf(
  sender: Address | null,
  recipients: readonly Address[],
  octets: Uint8Array,
  utf8: boolean,
  facts: HopFacts,
): Carry {
  const kind = kindOf(octets)
  const binary = kind === 'binary' && facts.extensions.has('BINARYMIME')
  const addresses = [sender, ...recipients].filter(address => address !== null)
  return {
    kind: 'carry',
    envelope: {
      sender: {
        reversePath: sender,
        body: kind === '7bit' ? '7BIT' : binary ? 'BINARYMIME' : '8BITMIME',
        utf8: utf8 || addresses.some(address => !isAscii(formatAddress(address))),
      },
      recipients: recipients.map(forwardPath => ({ forwardPath })),
    },
    sizeOctets: octets.length,
    content: octets,
  }
}

function report(
  face: Face,
  flags: SendFlags,
  submitted: Submitted,
  recipients: readonly string[],
): void {
  const { exit, problems } = verdictOf(submitted, recipients)
  const { dialogue, outcomes, trouble } = submitted
  if (flags.json === true) {
    const results = recipients.map((address, i) => ({ address, ...outcomes[i] }))
    const value = { sent: exit === EXIT.ok, recipients: results, trouble }
    print(face, flags, flags.show === true ? { ...value, dialogue } : value, () => '')
    face.terminal.setExit(exit)
    return
  }
  if (flags.show === true) face.terminal.out(`${printable(dialogue, true)}\n`)
  const taken = recipients.filter((_, i) => outcomes[i]?.kind === 'delivered')
  if (problems.length > 0 && taken.length > 0) {
    face.terminal.out(`sent to ${printable(taken.join(', '))}\n`)
  }
  if (problems.length > 0) throw new ExitError(exit, problems.join('\n'))
  const [first] = outcomes
  face.terminal.out(`sent: ${printable(first?.reason ?? 'taken')}\n`)
}
