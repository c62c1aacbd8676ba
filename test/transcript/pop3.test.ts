/**
 * The POP3 server session against the dialogues in pop3/. Directives, one each line:
 *
 *     @ messages none | NAME...    the maildrop, instead of 'one' and 'two' below; or sizes in octets
 *     @ set NAME JSON              a field of SessionSettings
 *     @ tls                        TLS is on from the start
 *     @ connect|open|commit|retrieve KIND [CODE]   what policy answers instead of yes
 *
 * joe's password is `secret`. Events: shutdown. M line: `deleted 1 2` or `deleted nothing`, the
 * messages that policy was told to remove.
 */
import { join } from 'node:path'
import { settings, yes } from '../../src/pop3/scripted.ts'
import type {
  Answer,
  Question,
  ServerEvent,
  SessionSettings,
} from '../../src/pop3/server/question.ts'
import { ServerSession } from '../../src/pop3/server/session.ts'
import { type Dialogue, playFolder, type Stage, tlsFacts } from './harness.ts'

const messages: Readonly<Record<string, string>> = {
  one: 'Subject: one\r\n\r\nHello\r\n',
  two: 'Subject: two\r\nFrom: joe@example.org\r\n\r\n.dot\r\n.!\r\n\r\nlast\r\n',
  headless: '\r\nbody\r\nmore\r\n',
  bodiless: 'Subject: no body\r\n',
  empty: '',
}

function messageOf(name: string): string {
  const size = Number(name)
  if (Number.isNaN(size)) return messages[name] ?? ''
  const header = 'Subject: sized\r\n\r\n'
  return `${header}${'x'.repeat(size - header.length - 2)}\r\n`
}

const endpoint = { address: '192.0.2.1', port: 40_000 }

function scripted(dialogue: Dialogue): Stage<Question, Answer, ServerEvent> {
  let maildrop = [messageOf('one'), messageOf('two')]
  const changed: Record<string, unknown> = { ...settings }
  const answers = new Map<string, Answer>()
  let secured = false
  for (const [word = '', first = '', ...rest] of dialogue.directives) {
    if (word === 'messages') maildrop = first === 'none' ? [] : [first, ...rest].map(messageOf)
    else if (word === 'set') changed[first] = JSON.parse(rest.join(' '))
    else if (word === 'tls') secured = true
    else answers.set(word, { kind: first, code: rest[0], why: 'because' } as Answer)
  }
  let deleted = 'deleted nothing'
  const peer = { remote: endpoint, local: endpoint, ...(secured ? { tls: tlsFacts } : {}) }
  return {
    session: sink => new ServerSession(sink, changed as unknown as SessionSettings, peer),
    answer: question => {
      if (question.kind === 'commit' && question.uids.length > 0)
        deleted = `deleted ${question.uids.join(' ')}`
      return answers.get(question.kind) ?? yes(question, maildrop)
    },
    event: word =>
      word === 'dismissed' ? { kind: word, why: 'enough of it' } : { kind: 'shutdown' },
    taken: () => [deleted],
  }
}

playFolder(join(import.meta.dirname, 'pop3'), scripted)
