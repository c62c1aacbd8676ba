/**
 * Sessions: each protocol's, each side's, over whatever its peer says. They never throw, say whole lines and not
 * too many, hold little, and answer the same however the octets are cut.
 */
import assert from 'node:assert/strict'
import {
  imapScript,
  MailboxSession,
  pop3Script,
  type Shown,
} from '../../../src/diagnose/mailbox/session.ts'
import { Transcript } from '../../../src/diagnose/transcript.ts'
import { Scripted as ImapPolicy, settings as imapSettings } from '../../../src/imap/scripted.ts'
import { ServerSession as ImapSession } from '../../../src/imap/server/session.ts'
import { ClientSession as MtqpClient } from '../../../src/mtqp/client/session.ts'
import { ServerSession as MtqpSession } from '../../../src/mtqp/server/session.ts'
import type { Order } from '../../../src/pop3/client/question.ts'
import { ClientSession as PopClient } from '../../../src/pop3/client/session.ts'
import { settings as popSettings, yes } from '../../../src/pop3/scripted.ts'
import type { Question as PopQuestion } from '../../../src/pop3/server/question.ts'
import { ServerSession as PopSession } from '../../../src/pop3/server/session.ts'
import type { Session } from '../../../src/wire/effect.ts'
import { imapCommands, imapReplies } from '../grammar/imap.ts'
import { pop3Commands, pop3Replies } from '../grammar/pop3.ts'
import { makeDialogue } from '../lab/grammar.ts'
import { latin1, pick, type Target } from '../lab/target.ts'
import { dialogues, Ear, hear, peer } from './ear.ts'
import { smtpTargets } from './smtp-session.ts'

const messages = ['Subject: one\r\n\r\nHello\r\n', '.\r\n..\r\n\r\nlast']

const popServer: Target = {
  name: 'pop3-server',
  make: makeDialogue(pop3Commands),
  lines: true,
  seeds: () => dialogues('pop3', 3000),
  words: [
    'USER joe\r\n',
    'PASS secret\r\n',
    'STAT\r\n',
    'LIST\r\n',
    'UIDL 1\r\n',
    'RETR 1\r\n',
    'TOP 1 1\r\n',
    'DELE 1\r\n',
    'RSET\r\n',
    'QUIT\r\n',
    'AUTH PLAIN\r\n',
    'CAPA\r\n',
    'STLS\r\n',
    'LANG *\r\n',
    'UTF8\r\n',
    'APOP a b\r\n',
  ],
  outputRatio: 200,
  run: (input, random) => {
    const serve = (size: number) => {
      const ear = new Ear<PopQuestion, ReturnType<typeof yes>>(question => yes(question, messages))
      const session = new PopSession(ear, { ...popSettings, errorsMax: 1000 }, peer)
      session.start()
      hear(session as Session<never>, ear, input, size)
      session.end()
      assert.ok(ear.said === '' || ear.said.endsWith('\r\n'))
      return ear
    }
    const whole = serve(Math.max(1, input.length))
    // Where TLS begins in the midst of a piece, what stands behind is thrown away.
    if (input.length < 20_000 && !/STLS/i.test(input.toString('latin1')))
      assert.equal(serve(1 + random.below(9)).said, whole.said)
    return whole.octets
  },
}

const orders: readonly Order[] = [
  { kind: 'capabilities' },
  {
    kind: 'login',
    credentials: { username: 'joe', password: 'secret' },
    mechanisms: ['PLAIN', 'CRAM-MD5'],
  },
  { kind: 'login', credentials: { username: 'joe', password: 'secret' }, mechanisms: [] },
  { kind: 'stat' },
  { kind: 'list' },
  { kind: 'uidl' },
  { kind: 'retrieve', number: 1 },
  { kind: 'top', number: 1, lines: 3 },
  { kind: 'startTls' },
  { kind: 'delete', number: 1 },
  { kind: 'quit' },
]

const popClient: Target = {
  name: 'pop3-client',
  make: makeDialogue(pop3Replies),
  lines: true,
  seeds: () =>
    [
      '+OK hi\r\n+OK\r\nUSER\r\n.\r\n+OK\r\n+OK 2 20\r\n+OK\r\n1 10\r\n2 10\r\n.\r\n',
      '-ERR [SYS/TEMP] no\r\n',
      '+OK\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n..a\r\n.\r\n+OK\r\n',
    ].map(latin1),
  words: [
    '+OK\r\n',
    '-ERR\r\n',
    '.\r\n',
    '+ \r\n',
    '1 10\r\n',
    '..',
    '+OK 1 2\r\n',
    '-ERR [IN-USE] x\r\n',
  ],
  run: (input, random) => {
    let ended = 0
    const ear = new Ear<{ readonly result: { readonly kind: string } }, Order>(({ result }) => {
      if (result.kind === 'broken') ended += 1
      return pick(random, orders)
    })
    const settings = { plaintextAuth: true, replyTimeoutMs: 1, chance: () => new Uint8Array(8) }
    const session = new PopClient(ear as never, settings, undefined)
    session.start()
    hear(
      session as Session<never>,
      ear,
      input,
      random.below(2) === 0 ? input.length : 1 + random.below(9),
    )
    session.end()
    session.expire()
    assert.ok(ended <= 1, 'the end is told once')
    assert.ok(ear.said === '' || ear.said.endsWith('\r\n'))
    return ear.octets
  },
}

const imapServer: Target = {
  name: 'imap-server',
  make: makeDialogue(imapCommands),
  lines: true,
  seeds: () => dialogues('imap', 3000),
  words: [
    ...[
      'a LOGIN joe secret\r\n',
      'a SELECT INBOX\r\n',
      'a FETCH 1:* (FLAGS BODY[])\r\n',
      'a UID SEARCH ALL\r\n',
      'a STORE 1 +FLAGS (\\Seen)\r\n',
    ],
    ...[
      '{3}\r\n',
      '{3+}\r\n',
      '~{3+}\r\n',
      '{999999999}\r\n',
      '"',
      '(',
      ')',
      '1:*',
      '$',
      '*',
      '%',
      'BODY[HEADER.FIELDS (a)]',
      'BODY.PEEK[1.MIME]<0.9>',
    ],
    ...[
      'BINARY[1]',
      'ENVELOPE',
      'BODYSTRUCTURE',
      'a IDLE\r\nDONE\r\n',
      'a APPEND INBOX {3+}\r\nabc\r\n',
      'a LIST "" *\r\n',
      'OR ',
      'NOT ',
      'RETURN (SAVE)',
    ],
    ...[
      'a NOTIFY SET (SELECTED (MessageNew))\r\n',
      'a ENABLE QRESYNC\r\n',
      'a SORT (DATE) UTF-8 ALL\r\n',
      'a THREAD REFERENCES UTF-8 ALL\r\n',
      'a EXPUNGE\r\n',
    ],
    ...[
      'a COPY 1 INBOX\r\n',
      'a CREATE x\r\n',
      'a RENAME x y\r\n',
      'a STATUS INBOX (MESSAGES)\r\n',
      'a SETACL x joe lr\r\n',
      'a GETMETADATA "" /shared/comment\r\n',
    ],
  ],
  // A mailbox that is asked for as a whole is more than the question.
  outputRatio: 2000,
  run: (input, random) => {
    const policy = new ImapPolicy()
    policy.deliver('INBOX', 'Subject: one\r\nFrom: a@b\r\n\r\nbody\r\n')
    policy.deliver(
      'INBOX',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n',
      ['\\Deleted'],
    )
    const ear = new Ear<Parameters<typeof policy.answer>[0], ReturnType<typeof policy.answer>>(
      question => policy.answer(question),
    )
    ear.content = (...args: unknown[]) => policy.content(...(args as [Uint8Array, number, number]))
    const session = new ImapSession(
      ear,
      { ...imapSettings, errorsMax: 1000, loginFailuresMax: 1000 },
      peer,
    )
    session.start()
    if (random.below(2) === 0) {
      session.peer = { ...session.peer, account: { id: 1, address: 'joe@example.org' } }
      session.state = 'authenticated'
      session.receive(Buffer.from('x SELECT INBOX\r\n'))
    }
    hear(
      session as Session<never>,
      ear,
      input,
      random.below(2) === 0 ? input.length : 1 + random.below(9),
      1_100_000,
    )
    session.tell({ kind: 'changed' })
    session.end()
    assert.ok(ear.said === '' || ear.said.endsWith('\r\n') || ear.octets >= 1_000_000)
    return ear.octets
  },
}

const mtqpServer: Target = {
  name: 'mtqp-server',
  seeds: () => dialogues('mtqp', 3000),
  words: ['TRACK <1@x> c2VjcmV0\r\n', 'STARTTLS\r\n', 'COMMENT\r\n', 'QUIT\r\n'],
  run: (input, random) => {
    const serve = (size: number) => {
      const ear = new Ear<{ readonly kind: string }, unknown>(({ kind }) =>
        kind === 'connect' ? { kind: 'welcome' } : { kind: 'found', part: Buffer.from('.a\r\n') },
      )
      const settings = {
        hostname: 'x',
        startTls: true,
        isOurs: () => true,
        idleTimeoutMs: 1,
        errorsMax: 1000,
      }
      const session = new MtqpSession(ear as never, settings, peer)
      session.start()
      hear(session as Session<never>, ear, input, size)
      session.end()
      assert.ok(ear.said.endsWith('\r\n'))
      return ear
    }
    const whole = serve(Math.max(1, input.length))
    if (input.length < 20_000 && !/STARTTLS/i.test(input.toString('latin1')))
      assert.equal(serve(1 + random.below(9)).said, whole.said)
    return whole.octets
  },
}

const mtqpClient: Target = {
  name: 'mtqp-client',
  seeds: () =>
    [
      '+OK/MTQP hi\r\n+OK+ yes\r\nContent-Type: x\r\n\r\n..\r\n.\r\n',
      '-ERR/noop\r\n',
      '+OK+ /MTQP\r\nSTARTTLS\r\n.\r\n',
    ].map(latin1),
  words: ['+OK/MTQP\r\n', '+OK+/MTQP\r\n', '.\r\n', 'STARTTLS\r\n', '-TEMP\r\n', '-BAD\r\n'],
  run: (input, random) => {
    let results = 0
    const ear = new Ear<unknown, unknown>(() => {
      results += 1
      return { kind: 'noted' }
    })
    const settings = { host: 'x', envelopeId: '1@x', secret: new Uint8Array(3), startTls: true }
    const session = new MtqpClient(ear as never, settings)
    session.start()
    hear(
      session as Session<never>,
      ear,
      input,
      random.below(2) === 0 ? input.length : 1 + random.below(9),
    )
    session.end()
    session.expire()
    assert.equal(results, 1, 'what came of it is told once')
    return ear.octets
  },
}

const shown: Target = {
  name: 'mailbox-client',
  make: random => makeDialogue(random.below(2) === 0 ? pop3Replies : imapReplies)(random),
  lines: true,
  seeds: () =>
    [
      '+OK hi\r\n+OK\r\nSTLS\r\n.\r\n+OK\r\n',
      '* OK [CAPABILITY IMAP4rev2] hi\r\n* CAPABILITY X STARTTLS\r\na OK\r\na1 OK\r\n',
    ].map(latin1),
  words: [
    '+OK\r\n',
    '* CAPABILITY ',
    'a1 OK\r\n',
    'a2 OK\r\n',
    '* OK\r\n',
    'STARTTLS',
    'STLS\r\n',
    '.\r\n',
    '* BYE\r\n',
  ],
  run: (input, random) => {
    const found: Shown = {}
    const ear = new Ear<never, never>(() => undefined)
    const script = random.below(2) === 0 ? pop3Script : imapScript
    const clock = { now: () => 0, monotonic: () => 0, after: () => ({ cancel: () => {} }) }
    const session = new MailboxSession(ear, {
      shown: found,
      script: say => script(found, say, pick(random, ['on', 'try', 'no'] as const)),
      patienceMs: 1,
      transcript: new Transcript(clock as never),
    })
    session.start()
    hear(
      session as Session<never>,
      ear,
      input,
      random.below(2) === 0 ? input.length : 1 + random.below(9),
    )
    session.end()
    return ear.octets
  },
}

export const sessionTargets: readonly Target[] = [
  ...smtpTargets,
  popServer,
  popClient,
  imapServer,
  mtqpServer,
  mtqpClient,
  shown,
]
