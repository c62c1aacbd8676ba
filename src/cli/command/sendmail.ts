/**
 * `sendmail`: how programs of this machine have always sent mail. It needs no account and no
 * rights: it speaks SMTP to the server's local socket and ends with 75 where it cannot reach it,
 * so that the caller keeps the message.
 */
import { type Address, formatAddress, formatPath } from '../../mail/address.ts'
import type { Envelope } from '../../mail/envelope.ts'
import type { Mailbox } from '../../message/address-list.ts'
import { kindOf } from '../../message/encode.ts'
import type { Key } from '../../queue/matching.ts'
import { ExitError } from '../../server/exit-error.ts'
import type { Carry, HopFacts, Probe } from '../../smtp/client/question.ts'
import { replyText, statusOf } from '../../smtp/client/talk.ts'
import type { Connection } from '../../world/net.ts'
import { readText } from '../../world/node/config-file.ts'
import { connectUnix } from '../../world/node/reach.ts'
import { inheritedSocket, stdioConnection } from '../../world/node/stdio.ts'
import { EXIT } from '../exit.ts'
import type { CommonOptions, Face } from '../face.ts'
import { readInput } from '../input.ts'
import { inetdSockets, localSockets } from '../local-sockets.ts'
import { printable } from '../print.ts'
import { introduction, isStranger, join, typedLines } from '../relay-stdio.ts'
import { type Home, notifyOf, recipientsOf, reversePathOf } from '../sendmail-envelope.ts'
import { parseSendmailFlags, type SendmailFlags } from '../sendmail-flags.ts'
import { finish, readLines } from '../sendmail-message.ts'
import { failedExit, type Submitted, submit, verdictOf } from '../submit.ts'

const CONNECT_TIMEOUT_MS = 30_000
/** What is read into memory at most: with a CR for each LF it is still a text that can be. The server's own limit is smaller. */
const MESSAGE_MAX_OCTETS = 255 * 1024 * 1024
/** How many recipients of the queue are asked for at once. */
const PAGE_RECIPIENTS = 5_000

export async function runSendmail(face: Face, args: readonly string[]): Promise<void> {
  const flags = parseSendmailFlags(args)
  const options = flags.data === undefined ? {} : { data: flags.data }
  switch (flags.mode) {
    case 'nothing':
      return
    case 'list':
      await listQueue(face, options)
      return
    case 'flush': {
      const { carryOut } = await import('./queue-change.ts')
      await carryOut(face, options, { order: 'retry', query: '', all: true })
      return
    }
    case 'dialogue':
      await dialogue(face, flags.data)
      return
    case 'verify':
      await verify(face, flags)
      return
    case 'submit':
      await submitMessage(face, flags)
  }
}

/** All of it, page by page: programs count what they are shown. */
async function listQueue(face: Face, options: CommonOptions): Promise<void> {
  // Only this and the retrying need the rest of the command line, which takes a while to load.
  const [{ call }, { mailq }] = await Promise.all([
    import('../call.ts'),
    import('../show-mailq.ts'),
  ])
  const shown = mailq()
  for (let after: Key | undefined; ; ) {
    const input = { limit: PAGE_RECIPIENTS, ...(after && { after }) }
    const { items, next } = await call(face, options, 'queue.list', input)
    face.terminal.out(shown.page(items))
    if (next === undefined) break
    after = next
  }
  face.terminal.out(shown.end())
}

/**
 * SMTP on standard input and output. Who types or pipes here is a user of this machine; a connection from
 * the network that inetd has put there is a stranger and gets no more than any other.
 */
async function dialogue(face: Face, data: string | undefined): Promise<void> {
  const socket = inheritedSocket()
  if (socket === undefined || !isStranger(socket)) {
    await join(socket ?? stdioConnection(), await reach(localSockets(face, data)), {
      written: typedLines(),
    })
    return
  }
  try {
    await join(socket, await reach(inetdSockets(face, data)), { first: introduction(socket) })
  } catch (error) {
    // RFC 5321 §3.1: a server that cannot serve says so in place of its greeting.
    socket.write('421 4.3.2 Service not available, try again later\r\n')
    socket.end()
    throw error
  }
}

/** Connects to the first of the server's sockets that answers; 75 where none does. */
async function reach(paths: readonly string[]): Promise<Connection> {
  const reasons: string[] = []
  for (const path of paths) {
    try {
      return await connectUnix(path, CONNECT_TIMEOUT_MS)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new ExitError(
    EXIT.tempFail,
    `the server is not reachable (${reasons.join('; ')}); is it running, and is POSTRIDER_DATA or --data its folder?`,
  )
}

async function submitMessage(face: Face, flags: SendmailFlags): Promise<void> {
  const message = readLines(await readInput(face, MESSAGE_MAX_OCTETS), flags.dotIsText)
  let recipients: readonly Address[] = []
  const result = await offer(face, flags, (home, facts) => {
    const carry = carryOf(face, flags, message, home, facts)
    recipients = carry.envelope.recipients.map(recipient => recipient.forwardPath)
    return carry
  })
  const { exit, problems } = verdictOf(
    result,
    recipients.map(address => `${address.local}@${address.domain}`),
  )
  if (problems.length > 0) throw new ExitError(exit, problems.join('\n'))
}

/** `-bv`: whether mail for each recipient would be taken; none is sent. */
async function verify(face: Face, flags: SendmailFlags): Promise<void> {
  const named = { ...flags, fromHeader: false }
  let recipients: readonly Address[] = []
  const { replies, trouble } = await offer(face, flags, home => {
    recipients = recipientsOf(named, NO_MESSAGE, home)
    return { kind: 'probe', reversePath: '<>', forwardPaths: recipients.map(formatPath) }
  })
  const [mail, ...rest] = replies
  let exit: number = EXIT.ok
  for (const [at, address] of recipients.entries()) {
    const reply = rest[at] ?? mail
    const taken = reply !== undefined && reply.code < 300
    const said = reply === undefined ? (trouble?.reason ?? 'no answer') : replyText(reply)
    const told = taken ? 'deliverable' : said
    face.terminal.out(`${formatAddress(address)}... ${printable(told)}\n`)
    if (taken || (exit !== EXIT.ok && exit !== EXIT.tempFail)) continue
    exit = reply && reply.code >= 500 ? failedExit(statusOf(reply)) : EXIT.tempFail
  }
  face.terminal.setExit(exit)
}

const NO_MESSAGE = Buffer.alloc(0)

/** One transaction with the server of this machine. */
async function offer(
  face: Face,
  flags: SendmailFlags,
  carry: (home: Home, facts: HopFacts) => Carry | Probe,
): Promise<Submitted> {
  const origin = originOf(face)
  // The server is asked first: its name is the last resort for what a local name means.
  const connection = await reach(localSockets(face, flags.data))
  const { name: user } = face.terminal.user()
  const machine = face.terminal.hostname().toLowerCase()
  let fault: ExitError | undefined
  const result = await submit({
    connection,
    hostname: 'localhost',
    startTls: 'never',
    trustedPlace: true,
    carry: facts => {
      try {
        return carry({ user, machine, origin: origin ?? facts.greeting }, facts)
      } catch (error) {
        fault = error instanceof ExitError ? error : undefined
        throw error
      }
    },
  })
  if (fault !== undefined) throw fault
  if (flags.verbose) face.terminal.err(`${printable(result.dialogue, true)}\n`)
  return result
}

/** The domain that names of this machine belong to, as far as the machine says. */
function originOf(face: Face): string | undefined {
  const named = face.terminal.env('POSTRIDER_ORIGIN')
  if (named !== undefined && named !== '') return named
  const mailname = readText('/etc/mailname')
  const name = 'text' in mailname ? mailname.text.trim() : ''
  return /^[\w.-]+$/.test(name) ? name : undefined
}

function carryOf(
  face: Face,
  flags: SendmailFlags,
  message: Buffer,
  home: Home,
  facts: HopFacts,
): Carry {
  const user = face.terminal.user()
  const { origin } = home
  const reversePath = reversePathOf(flags, home)
  const recipients = recipientsOf(flags, message, home)
  const address = reversePath ?? { local: user.name, domain: origin }
  const from: Mailbox = { name: flags.fullName ?? user.fullName, address }
  const notify = notifyOf(flags.notify)
  const content = finish(message, from, origin)
  const kind = kindOf(content)
  const binary = kind === 'binary' && facts.extensions.has('BINARYMIME')
  const utf8 = [reversePath, ...recipients].some(
    one => one !== null && /[^\0-\x7f]/.test(`${one.local}${one.domain}`),
  )
  const envelope: Envelope = {
    sender: {
      reversePath,
      body: kind === '7bit' ? '7BIT' : binary ? 'BINARYMIME' : '8BITMIME',
      utf8,
      ...(flags.ret !== undefined && { ret: flags.ret }),
      ...(flags.envelopeId !== undefined && { envelopeId: flags.envelopeId }),
    },
    recipients: recipients.map(forwardPath => ({
      forwardPath,
      ...(notify !== undefined && { notify }),
    })),
  }
  return { kind: 'carry', envelope, sizeOctets: content.length, content }
}
