/**
 * The whole decision about a message that is not sent: what the session would answer, whom its recipients mean, under
 * which name each copy would leave, by which route it goes and what decided that, which hosts would be tried, how
 * they would be secured, and when. By the functions that carry mail, asked for their answer alone: nothing is
 * accepted, counted, connected to or kept. Called by
 * control.ts and by programs that have Postrider in them; throws an ExitError for what cannot be asked.
 */
import { judgeAuthors } from '../../inbound/authors.ts'
import { identified } from '../../inbound/authorship.ts'
import { withAddresses } from '../../inbound/nameless.ts'
import type { Refusal } from '../../inbound/role.ts'
import { type Address, formatAddress, formatPath, parseStoredAddress } from '../../mail/address.ts'
import { formatCarriedSender, parseCarriedSender } from '../../mail/carried.ts'
import { formatPeer } from '../../mail/forwarded.ts'
import { asItCame } from '../../message/amend.ts'
import { fieldTexts } from '../../message/field-texts.ts'
import { scanHeader } from '../../message/header.ts'
import { expandRecipients, type FinalRecipient } from '../../queue/expansion.ts'
import { forecast } from '../../queue/forecast.ts'
import type { QueuedMessage } from '../../queue/reader.ts'
import type { Account } from '../../sasl/mechanism.ts'
import { parseForwardPath, parseReversePath } from '../../smtp/path.ts'
import { verdictReply } from '../../smtp/replies.ts'
import { formatReply } from '../../smtp/reply.ts'
import { parseIp } from '../../wire/network.ts'
import { ExitError } from '../exit-error.ts'
import type { House } from '../house.ts'
import { departureOf } from '../outbound.ts'
import { scheduleOf } from '../schedules.ts'
import type {
  ExplainedRecipient,
  ExplainedSchedule,
  ExplainInput,
  ExplainOutput,
} from './explained.ts'
import { type Answered, ask, type Inquiry } from './inquiry.ts'
import { explainShaping } from './shaped.ts'
import { explainRoute } from './way.ts'

/** An address that is kept for examples, so that no exemption for a network applies. */
const STRANGER = '192.0.2.99'
const RECIPIENTS_MAX = 100

export async function explain(house: House, input: ExplainInput): Promise<ExplainOutput> {
  const inquiry = await inquiryOf(house, input)
  const answered = await ask(house, inquiry)
  const now = input.at ?? house.world.clock.now()
  const message = messageOf(inquiry, answered, now)
  const finals = await expandRecipients(house.inbound.directory, answered.taken)
  const header = fieldTexts(Buffer.from(`${(input.header ?? []).join('\r\n')}\r\n\r\n`))
  const recipients: ExplainedRecipient[] = []
  for (const final of finals) recipients.push(await explained(house, message, final, header))
  return {
    at: now,
    listener: inquiry.listener,
    ip: inquiry.ip,
    session: answered.spoken,
    asked: inquiry.forwardPaths.map((path, at) => ({ path, reply: answered.replies[at] ?? '' })),
    recipients,
    ...(await explainHeader(house, inquiry, answered, input.header)),
    ...(inquiry.account && { account: inquiry.account.address }),
    ...(recipients.length > 0 && { noticesTo: message.reverse_path }),
  }
}

/** Who may write as whom, of a header that was told (inbound/authors.ts). */
async function explainHeader(
  { inbound, world }: House,
  { account }: Inquiry,
  { sender, peer, taken }: Answered,
  lines: readonly string[] = [],
): Promise<Pick<ExplainOutput, 'header'>> {
  if (!account || !sender || !peer || lines.length === 0) return {}
  const { enforceSender, hostname } = inbound.settings()
  const refused = (verdict: Refusal) => {
    const reply = formatReply(verdictReply(verdict, hostname, true))
    return { header: { refused: reply.trimEnd() } }
  }
  const given = asItCame(scanHeader(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)))
  const own = sender.reversePath ?? parseStoredAddress(account.address)
  const named = withAddresses(given, own)
  const written = enforceSender ? await judgeAuthors(inbound, account, named) : named
  if ('kind' in written) return refused(written)
  const { header } = written
  const envelope = { sender, recipients: taken }
  const identity = { id: String(world.clock.now()), bodyKey: 0 }
  const found = await identified(inbound, account, { peer, envelope, header, identity })
  if (found.kind !== 'complete') return refused(found)
  const fields = written.front.join('') + found.fields
  const { reversePath } = found
  const leavesAs = reversePath && formatAddress(reversePath)
  return { header: { added: fields, ...(leavesAs !== undefined && { leavesAs }) } }
}

/** What becomes command lines must be able to stand in one. */
function check({ ip, hello, sizeOctets, at, to }: ExplainInput): void {
  if (to.length === 0) throw new ExitError(64, 'name at least one recipient')
  if (to.length > RECIPIENTS_MAX) {
    throw new ExitError(64, `at most ${RECIPIENTS_MAX} recipients at once`)
  }
  if (ip !== undefined && parseIp(ip) === undefined) {
    throw new ExitError(64, `${ip} is no IP address`)
  }
  if (hello !== undefined && !/^[!-~\u00a0-\u{10ffff}]{1,255}$/u.test(hello)) {
    throw new ExitError(64, 'hello is no name')
  }
  for (const number of [sizeOctets, at]) {
    if (number !== undefined && !(Number.isSafeInteger(number) && number >= 0)) {
      throw new ExitError(64, `${number} is no whole number`)
    }
  }
}

async function inquiryOf(house: House, input: ExplainInput): Promise<Inquiry> {
  check(input)
  const { from, to, ip = STRANGER, sizeOctets, hello = `[${ip}]` } = input
  const account = input.account === undefined ? undefined : await accountOf(house, input.account)
  const listener = input.listener ?? (account === undefined ? 'smtp' : 'submission')
  return {
    listener,
    ip,
    hello,
    reversePath: pathOf(from, parseReversePath(`<${from}>`)),
    forwardPaths: to.map(address => pathOf(address, parseForwardPath(`<${address}>`))),
    ...(sizeOctets === undefined ? {} : { sizeOctets }),
    ...(account && { account }),
  }
}

/** What could not be one path is not said to a session at all; what it may not be there, the session says. */
function pathOf(text: string, { ok }: { readonly ok: boolean }): string {
  if (ok) return `<${text}>`
  throw new ExitError(65, `${JSON.stringify(text)} is no address`)
}

async function accountOf({ inbound }: House, text: string): Promise<Account> {
  const found = await inbound.directory.resolve(parseStoredAddress(text))
  if (found.kind === 'account') return found.account
  throw new ExitError(67, `${text} is no account here`)
}

/** The message as the queue would have it; of what it holds nothing is known but its size. */
function messageOf(
  { account, listener, sizeOctets = 0, hello, ip }: Inquiry,
  { sender, peer }: Answered,
  now: number,
): QueuedMessage {
  const reversePath = sender?.reversePath ?? null
  return {
    id: 'explained',
    body_id: 0,
    head: new Uint8Array(0),
    size_octets: sizeOctets,
    origin: listener === 'smtp' ? 'mx' : listener,
    reverse_path: reversePath === null ? '' : formatAddress(reversePath),
    body_kind: sender?.body ?? '7BIT',
    utf8: sender?.utf8 ? 1 : 0,
    ret: null,
    envelope_id: null,
    parameters: sender === undefined ? null : formatCarriedSender(sender),
    account_id: account?.id ?? null,
    peer: formatPeer(peer?.hello ?? hello, ip),
    received_at: now,
  }
}

async function explained(
  house: House,
  message: QueuedMessage,
  final: FinalRecipient,
  header: (name: string) => readonly string[],
): Promise<ExplainedRecipient> {
  const { address, aliasOf } = final
  const about = { address, ...(aliasOf === null ? {} : { aliasOf }) }
  // The alias itself: it is settled by the accepting transaction, and each of its targets is carried.
  if (final.expanded) return { ...about, expanded: true }
  const { route, by, passed } = await house.reason(message, { address, header })
  const departure = departureOf(house.inbound.transit, message, { address, aliasOf }, route)
  const sender: Address | null =
    departure?.reversePath ??
    (message.reverse_path === '' ? null : parseStoredAddress(message.reverse_path))
  const recipient = parseStoredAddress(address)
  const carried = { recipient, sizeOctets: message.size_octets }
  const { givenUp, ...explained } = await explainRoute(house, route, carried)
  const name = 'name' in route ? route.name : undefined
  const shaped = await explainShaping(house, route, { address, ...explained })
  return {
    ...about,
    reversePath: formatPath(sender),
    route: { kind: route.kind, by, passed },
    ...explained,
    ...shaped,
    ...(givenUp === undefined
      ? { schedule: explainedSchedule(house, message, address, name) }
      : { givenUp }),
  }
}

function explainedSchedule(
  house: House,
  { parameters, received_at: receivedAt }: QueuedMessage,
  address: string,
  way: string | undefined,
): ExplainedSchedule {
  const schedule = scheduleOf(house.settings(), address, way)
  const { release, deliverBy } = parseCarriedSender(parameters)
  const firstAt = Math.max(receivedAt, release?.atMs ?? 0)
  const { jitter } = schedule
  return { ...forecast(schedule, { receivedAt: firstAt, firstAt, deliverBy }), jitter }
}
