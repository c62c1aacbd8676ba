/**
 * The SMTP and LMTP server session against the dialogues in smtp/. Directives, one each line:
 *
 *     @ setting NAME JSON                         a field of SessionSettings
 *     @ only KEYWORD ...                          all other extensions are switched off
 *     @ tls                                       TLS is on from the start
 *     @ account NAME PASSWORD                     who may log in, also by SCRAM
 *     @ verdict KIND [ADDRESS] CODE DETAIL TEXT   policy's answer; for rcpt and mail with an address
 *     @ text KIND TEXT                            the text that goes with acceptance
 *     @ resume OCTETS ADDRESS...                  MAIL goes on with a transaction (RFC 1845)
 *     @ url URL TEXT                              what BURL finds by it, with \r\n; it finds nothing else
 *     @ verified                                  TLS is on, and the client's certificate was verified
 *     @ pending N [under way]                     what ETRN finds
 *
 * Events: shutdown; cut, when nobody waits for a transaction any longer. M lines: `message <from> -> <to>,<to>`, then
 * its lines behind `| `, with \r \n \0 for what is not a CRLF; `client`, `forwarded` where a trusted peer told of another; `abandon` where policy was told to forget a transaction.
 */
import { pbkdf2Sync } from 'node:crypto'
import { join } from 'node:path'
import { formatPath, parseStoredAddress } from '../../src/mail/address.ts'
import { accept, defer, refuse, type Verdict } from '../../src/mail/verdict.ts'
import type { LoginAnswer, LoginQuestion } from '../../src/sasl/mechanism.ts'
import { ITERATIONS_MIN, sha256, verifierOf } from '../../src/sasl/scram-keys.ts'
import { extensions } from '../../src/smtp/extension/table.ts'
import type {
  Answer,
  Peer,
  Question,
  ServerEvent,
  SessionSettings,
  StartAnswer,
} from '../../src/smtp/server/question.ts'
import { ServerSession } from '../../src/smtp/server/session.ts'
import type { TlsFacts } from '../../src/wire/effect.ts'
import { parseNetwork } from '../../src/wire/network.ts'
import { sessionEnds as ends, sessionSettings } from '../kit/smtp-settings.ts'
import { type Dialogue, playFolder, type Stage, tlsFacts } from './harness.ts'

const usual: SessionSettings = {
  ...sessionSettings,
  sizeMaxBytes: 10_000,
  startTls: true,
  holdMaxS: 86_400,
}

/** Every extension but these. */
function others(keywords: readonly string[]): readonly string[] {
  return extensions.map(each => each.keyword).filter(each => !keywords.includes(each))
}

function scripted(dialogue: Dialogue): Stage<Question, Answer, ServerEvent> {
  const settings: Record<string, unknown> = { ...usual }
  const verdicts = new Map<string, Verdict>()
  const accounts = new Map<string, string>()
  let tls: TlsFacts | undefined
  let pending: StartAnswer | undefined
  const urls = new Map<string, string>()
  for (const [word = '', first = '', ...rest] of dialogue.directives) {
    if (word === 'setting') settings[first] = setting(first, JSON.parse(rest.join(' ')))
    else if (word === 'only') settings['without'] = others([first, ...rest])
    else if (word === 'tls') tls = tlsFacts
    else if (word === 'verified') tls = { ...tlsFacts, verified: true, peerName: 'client.example' }
    else if (word === 'pending') {
      pending = { kind: 'pending', messages: Number(first), underWay: rest.length > 0 }
    } else if (word === 'url') urls.set(first, JSON.parse(`"${rest.join(' ')}"`))
    else if (word === 'account') accounts.set(first, rest[0] ?? '')
    else if (word === 'text') verdicts.set(first, accept(JSON.parse(rest.join(' '))))
    else if (word === 'resume') {
      const recipients = rest.map(text => ({ forwardPath: parseStoredAddress(text) }))
      verdicts.set('mail', { kind: 'accept', resume: { octets: Number(first), recipients } })
    } else if (word === 'verdict') {
      const key = /^\d{3}$/.test(rest[0] ?? '') ? first : `${first} ${rest.shift()}`
      verdicts.set(key, verdict(rest))
    } else throw new Error(`unknown directive ${word}`)
  }
  const taken: string[] = []
  let content: Buffer[] = []
  const of = (kind: string, address?: string) =>
    verdicts.get(`${kind} ${address}`) ?? verdicts.get(kind) ?? accept()
  const answer = (question: Question): Answer => {
    switch (question.kind) {
      case 'rcpts':
        return question.recipients.map(each => of('rcpt', bare(formatPath(each.forwardPath))))
      case 'mail':
        return of('mail', bare(formatPath(question.sender.reversePath)))
      case 'login':
        return login(accounts, question.question)
      case 'abandon':
        content = []
        taken.push(question.interrupted ? 'abandon, interrupted' : 'abandon')
        return accept()
      case 'accept': {
        const { sender, recipients } = question.envelope
        const to = recipients.map(each => formatPath(each.forwardPath)).join(',')
        taken.push(`message ${formatPath(sender.reversePath)} -> ${to}`)
        taken.push(...told(question.peer))
        taken.push(...written(Buffer.concat(content)))
        content = []
        return recipients.map(each => of('accept', bare(formatPath(each.forwardPath))))
      }
      case 'include': {
        const text = urls.get(question.url)
        if (text === undefined) return refuse(554, '7.0', 'IMAP URL authorization failed')
        if (text.length > (question.roomOctets ?? text.length)) {
          return refuse(554, '3.4', 'Message too big for system')
        }
        content.push(Buffer.from(text))
        return { kind: 'included', sizeOctets: text.length }
      }
      case 'start':
        return pending ?? of('start', question.node.name)
      case 'exchange':
        return of('exchange', question.domains.join(','))
      default:
        return of(question.kind)
    }
  }
  return {
    session: sink => new ServerSession(sink, settings as unknown as SessionSettings, ends, tls),
    answer,
    content: (octets, from, to) => content.push(Buffer.from(octets.subarray(from, to))),
    event: word => {
      if (word === 'dismissed') return { kind: word, why: 'enough of it' }
      return word === 'cut' ? { kind: 'shutdown', last: true } : { kind: 'shutdown' }
    },
    taken: () => taken,
    told: question => question.kind === 'abandon',
  }
}

/** Networks are written as in a config. */
function setting(name: string, value: unknown): unknown {
  return name.endsWith('From') ? (value as string[]).map(parseNetwork) : value
}

/** What a trusted peer said of who it speaks for. */
function told({ remote, local, hello, name, account, forwarded }: Peer): readonly string[] {
  const lines: string[] = []
  if (remote !== ends.remote) {
    const who = `${name ?? '-'} [${remote.address}]:${remote.port} hello ${hello}`
    lines.push(`client ${who} to [${local.address}]:${local.port} login ${account?.address ?? '-'}`)
  }
  if (forwarded !== undefined) lines.push(`forwarded ${JSON.stringify(forwarded)}`)
  return lines
}

function bare(path: string): string {
  return path.slice(1, -1)
}

function verdict([code = '', detail = '', ...text]: readonly string[]): Verdict {
  const words = JSON.parse(`"${text.join(' ')}"`) as string
  const [, subject, particular] = /^(\d+)\.(\d+)$/.exec(detail) ?? []
  const full = `${Number(subject)}.${Number(particular)}` as const
  return Number(code) < 500
    ? defer(Number(code) as 451, full, words)
    : refuse(Number(code) as 550, full, words)
}

function login(accounts: ReadonlyMap<string, string>, question: LoginQuestion): LoginAnswer {
  if (question.username === 'broken') return { kind: 'unavailable', why: 'the test says so' }
  const password = accounts.get(question.username)
  if (question.kind === 'scram') {
    // A salt of sixteen sevens, so that the whole exchange can stand in a text file.
    const salt = new Uint8Array(16).fill(7)
    const salted = pbkdf2Sync(password ?? 'nobody', salt, ITERATIONS_MIN, sha256.octets, 'sha256')
    return { kind: 'verifier', verifier: verifierOf(sha256, salted, salt, ITERATIONS_MIN) }
  }
  if (question.kind === 'secret') {
    const secret = { octets: Buffer.from(password ?? ''), genuine: password !== undefined }
    return { kind: 'secret', secrets: [secret] }
  }
  if (question.kind !== 'proven' && question.kind !== 'password') {
    return { kind: 'denied', why: 'wrong' }
  }
  const proven =
    question.kind === 'proven' ? password !== undefined : password === question.password
  const himself = question.authorize === '' || question.authorize === question.username
  if (!proven || !himself) return { kind: 'denied', why: 'wrong' }
  return { kind: 'account', account: { id: 1, address: question.username } }
}

function written(content: Buffer): readonly string[] {
  const text = content.toString('utf8')
  const lines = text.split('\r\n')
  const last = lines.pop() ?? ''
  if (last !== '') lines.push(`${last}(no end)`)
  return lines.map(line =>
    `| ${line.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\0', '\\0')}`.trimEnd(),
  )
}

playFolder(join(import.meta.dirname, 'smtp'), scripted)
