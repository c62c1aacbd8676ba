/**
 * The IMAP server session against the dialogues in imap/. Directives, one each line:
 *
 *     @ mailbox NAME               one more, empty, beside INBOX
 *     @ message NAME FLAGS TEXT    a message in it: flags with commas or `-`, text with \r\n
 *     @ recent NAME UID            no session was told of its messages from this UID on
 *     @ set NAME JSON              a field of SessionSettings
 *     @ tls                        TLS is on from the start
 *     @ login                      joe is logged in by the first command, and the greeting was read
 *     @ slow KIND                  policy takes its time with this kind of question, until `! answer`
 *     @ refuse KIND CODE           policy answers this kind of question by a NO
 *
 * joe's password is `secret`. Events: shutdown; `deliver NAME TEXT`; `expunge NAME UID`; `flags NAME UID
 * FLAGS`; `remove NAME`; `add NAME`; `rename NAME NAME`; `subscribe NAME`; each tells the session, as a server would. M lines: `NAME UID FLAGS TEXT` for each message.
 */
import { join } from 'node:path'
import { Scripted, settings } from '../../src/imap/scripted.ts'
import type {
  Answer,
  Question,
  ServerEvent,
  SessionSettings,
} from '../../src/imap/server/question.ts'
import { ServerSession } from '../../src/imap/server/session.ts'
import { type Dialogue, playFolder, type Stage, tlsFacts } from './harness.ts'

const endpoint = { address: '192.0.2.1', port: 40_000 }

const unescaped = (text: string) => text.replaceAll('\\r', '\r').replaceAll('\\n', '\n')
const account = { id: 1, address: 'joe@example.org' }
const flagsOf = (text: string) => (text === '-' ? [] : text.split(','))

function scripted(dialogue: Dialogue): Stage<Question, Answer, ServerEvent> {
  const policy = new Scripted()
  const changed: Record<string, unknown> = { ...settings }
  let secured = false
  const slow = new Set<string>()
  for (const [word = '', first = '', ...rest] of dialogue.directives) {
    if (word === 'mailbox') policy.add([first, ...rest].join(' '))
    else if (word === 'message') {
      policy.deliver(first, unescaped(rest.slice(1).join(' ')), flagsOf(rest[0] ?? '-'))
    } else if (word === 'recent') {
      for (const box of policy.mailboxes) if (box.name === first) box.recentFrom = Number(rest[0])
    } else if (word === 'set') changed[first] = JSON.parse(rest.join(' '))
    else if (word === 'tls') secured = true
    else if (word === 'slow') slow.add(first)
    else if (word === 'refuse') {
      policy.refusals.set(first, { kind: 'no', code: rest[0] as 'LIMIT', why: 'because' })
    }
  }
  const known = dialogue.directives.some(([word]) => word === 'login')
  const peer = { remote: endpoint, local: endpoint, ...(secured ? { tls: tlsFacts } : {}) }
  return {
    session: sink => {
      const session = new ServerSession(sink, changed as unknown as SessionSettings, peer)
      if (known) {
        session.peer = { ...peer, account }
        session.state = 'authenticated'
      }
      return session
    },
    answer: question => policy.answer(question),
    slow: ({ kind }) => slow.has(kind),
    content: (octets, from, to) => policy.content(octets, from, to),
    event: word => eventOf(policy, word),
    taken: () =>
      policy.mailboxes.flatMap(({ name, messages }) =>
        messages.map(
          ({ uid, flags, octets }) =>
            `${name} ${uid} ${flags.join(',') || '-'} ${JSON.stringify(octets.toString('latin1')).slice(1, -1)}`,
        ),
      ),
  }
}

function eventOf(policy: Scripted, text: string): ServerEvent {
  const [word = '', name = '', ...rest] = text.split(' ')
  if (word === 'dismissed') return { kind: word, why: 'enough of it' }
  if (word === 'deliver') policy.deliver(name, unescaped(rest.join(' ')))
  else if (word === 'expunge') policy.expunge(name, Number(rest[0]))
  else if (word === 'remove') policy.answer({ kind: 'delete', account, mailbox: name })
  else if (word === 'add') policy.add(name)
  else if (word === 'rename') {
    policy.answer({ kind: 'rename', account, mailbox: name, to: rest[0] ?? '' })
  } else if (word === 'subscribe') {
    policy.answer({ kind: 'subscribe', account, mailbox: name, on: true })
  } else if (word === 'flags') {
    const key = policy.mailboxes.find(box => box.name === name)?.key ?? 0
    const flags = flagsOf(rest[1] ?? '-')
    policy.answer({ kind: 'store', key, uids: [Number(rest[0])], mode: 'set', flags })
  } else return { kind: 'shutdown' }
  return { kind: 'changed' }
}

playFolder(join(import.meta.dirname, 'imap'), scripted)
