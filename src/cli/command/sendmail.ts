/**
 * `sendmail`: how programs of this machine have always sent mail. It needs no account and no
 * rights: it speaks SMTP to the server's local socket and ends with 75 where it cannot reach it,
 * so that the caller keeps the message.
 */
import type { Address } from '../../mail/address.ts'
import type { Envelope, Notify } from '../../mail/envelope.ts'
import type { Mailbox } from '../../message/address-list.ts'
import { kindOf } from '../../message/encode.ts'
import type { Carry, HopFacts } from '../../smtp/client/question.ts'
import { parseMailbox } from '../../smtp/path.ts'
import type { Connection } from '../../world/net.ts'
import { readText } from '../../world/node/config-file.ts'
import { connectUnix } from '../../world/node/reach.ts'
import { inheritedSocket, stdioConnection } from '../../world/node/stdio.ts'
import { InputTooLarge } from '../../world/node/terminal.ts'
import { CommandError, EXIT } from '../exit.ts'
import type { Face } from '../face.ts'
import { inetdSockets, localSockets } from '../local-sockets.ts'
import { printable } from '../print.ts'
import { introduction, isStranger, join } from '../relay-stdio.ts'
import { parseSendmailFlags, type SendmailFlags } from '../sendmail-flags.ts'
import { argumentRecipients, finish, headerRecipients, readLines } from '../sendmail-message.ts'
import { submit, verdictOf } from '../submit.ts'

const CONNECT_TIMEOUT_MS = 30_000
/** What is read into memory at most; the server's own limit is smaller. */
const MESSAGE_MAX_OCTETS = 512 * 1024 * 1024

export async function runSendmail(face: Face, args: readonly string[]): Promise<void> {
  const flags = parseSendmailFlags(args)
  const options = flags.data === undefined ? {} : { data: flags.data }
  switch (flags.mode) {
    case 'nothing':
      return
    case 'list': {
      // Only these two need the rest of the command line, which takes a while to load.
      const [{ call }, { showItems }] = await Promise.all([
        import('../call.ts'),
        import('../show-queue.ts'),
      ])
      const { items, total } = await call(face, options, 'queue.list', { limit: 1000 })
      const shown = items.length === 0 ? 'the queue is empty\n' : showItems(items, face.clock.now())
      face.terminal.out(shown)
      if (total > items.length) face.terminal.out(`and ${total - items.length} more\n`)
      return
    }
    case 'flush': {
      const { carryOut } = await import('./queue-change.ts')
      await carryOut(face, options, { order: 'retry', query: '', all: true })
      return
    }
    case 'dialogue':
      await dialogue(face, flags.data)
      return
    case 'submit':
      await submitMessage(face, flags)
  }
}

/**
 * SMTP on standard input and output. Who types or pipes here is a user of this machine; a connection from
 * the network that inetd has put there is a stranger and gets no more than any other.
 */
async function dialogue(face: Face, data: string | undefined): Promise<void> {
  const socket = inheritedSocket()
  if (socket === undefined || !isStranger(socket)) {
    await join(socket ?? stdioConnection(), await reach(localSockets(face, data)))
    return
  }
  try {
    await join(socket, await reach(inetdSockets(face, data)), introduction(socket))
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
  throw new CommandError(
    EXIT.tempFail,
    `the server is not reachable (${reasons.join('; ')}); is it running, and is POSTRIDER_DATA or --data its folder?`,
  )
}

async function submitMessage(face: Face, flags: SendmailFlags): Promise<void> {
  const message = readLines(await readInput(face), flags.dotIsText)
  const origin = originOf(face)
  // The server is asked first: its name is the last resort for what a local name means.
  const connection = await reach(localSockets(face, flags.data))
  let recipients: readonly Address[] = []
  let fault: CommandError | undefined
  const result = await submit({
    connection,
    hostname: 'localhost',
    startTls: 'never',
    trustedPlace: true,
    carry: facts => {
      try {
        const carry = carryOf(face, flags, message, origin ?? facts.greeting, facts)
        recipients = carry.envelope.recipients.map(recipient => recipient.forwardPath)
        return carry
      } catch (error) {
        fault = error instanceof CommandError ? error : undefined
        throw error
      }
    },
  })
  if (fault !== undefined) throw fault
  if (flags.verbose) face.terminal.err(`${printable(result.dialogue, true)}\n`)
  const { exit, problems } = verdictOf(
    result,
    recipients.map(address => `${address.local}@${address.domain}`),
  )
  if (problems.length > 0) throw new CommandError(exit, problems.join('\n'))
}

async function readInput(face: Face): Promise<Buffer> {
  try {
    return await face.terminal.input(MESSAGE_MAX_OCTETS)
  } catch (error) {
    if (error instanceof InputTooLarge)
      throw new CommandError(EXIT.data, 'the message is too large')
    throw error
  }
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
  origin: string,
  facts: HopFacts,
): Carry {
  const user = face.terminal.user()
  const given = flags.sender === undefined ? user.name : flags.sender
  const reversePath = given === '' ? null : address(given, origin)
  const own = reversePath ?? address(user.name, origin)
  const from: Mailbox = { name: flags.fullName ?? user.fullName, address: own }
  const listed = flags.fromHeader ? headerRecipients(message, origin) : { addresses: [] }
  if (listed.fault !== undefined) {
    throw new CommandError(EXIT.data, `the header's recipients cannot be read: ${listed.fault}`)
  }
  const recipients = unique([
    ...flags.recipients.flatMap(text => addresses(text, origin)),
    ...listed.addresses,
  ])
  if (recipients.length === 0) {
    throw new CommandError(
      EXIT.usage,
      flags.fromHeader
        ? 'no To, Cc or Bcc in the message names a recipient'
        : 'no recipient: name some, or use -t for those of the header',
    )
  }
  const notify = notifyOf(flags.notify)
  const content = finish(message, from)
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

function address(text: string, origin: string): Address {
  const qualified = text.includes('@') ? text : `${text}@${origin}`
  const found = parseMailbox(qualified.replace(/^<(.*)>$/, '$1'))
  if (found === undefined) throw new CommandError(EXIT.noUser, `${text} is no address`)
  return found
}

/** What programs pass as one recipient: mostly an address, sometimes several as in a header. */
function addresses(text: string, origin: string): readonly Address[] {
  if (!/[,\s]/.test(text) || parseMailbox(text) !== undefined) return [address(text, origin)]
  const list = argumentRecipients(text, origin)
  if (list.fault !== undefined || list.addresses.length === 0) {
    throw new CommandError(EXIT.noUser, `${text} is no address`)
  }
  return list.addresses
}

function unique(addresses: readonly Address[]): Address[] {
  const seen = new Map(addresses.map(one => [`${one.local}@${one.domain}`, one]))
  return [...seen.values()]
}

/** `-N never` or `-N failure,delay,success`. */
function notifyOf(text: string | undefined): Notify | undefined {
  if (text === undefined) return undefined
  const words = text.toUpperCase().split(',')
  if (words.includes('NEVER')) return 'NEVER'
  const wanted = words.filter(
    (word): word is 'SUCCESS' | 'FAILURE' | 'DELAY' =>
      word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY',
  )
  return wanted.length > 0 ? wanted : undefined
}
