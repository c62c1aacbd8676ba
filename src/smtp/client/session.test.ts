import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientAnswer, ClientSettings } from './question.ts'
import { carry, Played, play } from './scripted.ts'

interface Case {
  readonly title: string
  readonly dialogue: string
  readonly work?: readonly ClientAnswer[]
  readonly settings?: Partial<ClientSettings>
  /** What it says holds only where the server's octets come in one piece. */
  readonly wholeOnly?: boolean
}

const one = carry(['b@two.test'])
const two = carry(['b@two.test', 'c@two.test'])
const message = 'C: Subject: x\nC:\nC: hello\nC: .'.replaceAll('C:\n', 'C: \n')
const open = (...extensions: string[]) => `
  C: EHLO client.test
  ${['S: 250-two.test', ...extensions.map(name => `S: 250-${name}`), 'S: 250 HELP'].join('\n')}
  = ready`
const opened = (...extensions: string[]) => `S: 220 two.test ESMTP${open(...extensions)}`

const cases: Case[] = [
  {
    title: 'a hop without PIPELINING is spoken to step by step',
    work: [one, { kind: 'quit' }],
    dialogue: `${opened('SIZE 1000', '8BITMIME')}
      C: MAIL FROM:<a@one.test> SIZE=21
      S: 250 ok
      C: RCPT TO:<b@two.test>
      S: 250 ok
      C: DATA
      S: 354 go
      ${message}
      S: 250 2.6.0 queued as 7
      = outcomes delivered 2.6.0
      = ready
      C: QUIT
      S: 221 bye
      = close`,
  },
  {
    title: 'with PIPELINING all commands leave together',
    work: [two],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: RCPT TO:<c@two.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 5.1.1 nobody
      S: 354 go
      ${message}
      S: 250 ok
      = outcomes delivered 2.0.0, failed 5.1.1
      = ready
      * answer quit
      C: QUIT
      S: 221 bye
      = close`,
  },
  {
    title: 'where DATA was let in for nobody, a lone dot ends it and its reply says nothing',
    work: [two, one],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: RCPT TO:<c@two.test>
      C: DATA
      S: 250 ok
      S: 550 nobody
      S: 450 4.2.1 later
      S: 354 go
      C: .
      S: 250 taken for nobody
      = outcomes failed 5.0.0, deferred 4.2.1
      = ready
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: DATA`,
  },
  {
    title: 'a refused MAIL is the outcome of all, whatever follows it',
    work: [two],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: RCPT TO:<c@two.test>
      C: DATA
      S: 550 5.7.1 not you
      S: 503 5.5.1 MAIL first
      S: 503 5.5.1 MAIL first
      S: 503 5.5.1 MAIL first
      = outcomes failed 5.7.1, failed 5.7.1
      = ready`,
  },
  {
    title: 'a transaction left open is ended by RSET before the next',
    work: [one, one],
    dialogue: `${opened()}
      C: MAIL FROM:<a@one.test>
      S: 250 ok
      C: RCPT TO:<b@two.test>
      S: 551 5.1.6 moved
      = outcomes failed 5.1.6
      C: RSET
      S: 250 ok
      = ready
      C: MAIL FROM:<a@one.test>`,
  },
  {
    title: 'a refused DATA is the outcome of those that RCPT took',
    work: [two],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: RCPT TO:<c@two.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 5.1.1 nobody
      S: 451 4.3.0 not now
      = outcomes deferred 4.3.0, failed 5.1.1
      C: RSET
      S: 250 ok
      = ready`,
  },
  {
    title: '552 to RCPT means too many recipients, unless its status says more',
    work: [carry(['a@t.test', 'b@t.test', 'c@t.test', 'd@t.test'])],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<a@t.test>
      C: RCPT TO:<b@t.test>
      C: RCPT TO:<c@t.test>
      C: RCPT TO:<d@t.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 552 5.2.2 mailbox full
      S: 552 too many recipients
      S: 252 2.1.5 perhaps
      S: 354 go
      ${message}
      S: 250 ok
      = outcomes delivered 2.0.0, failed 5.2.2, deferred 4.0.0, delivered 2.0.0
      = ready`,
  },
  {
    title: 'EHLO refused for good is followed by HELO',
    work: [one],
    dialogue: `S: 220 old
      C: EHLO client.test
      S: 500 what
      C: HELO client.test
      S: 250 old
      = ready
      C: MAIL FROM:<a@one.test>`,
  },
  {
    title: 'EHLO refused for now is trouble for now',
    dialogue: `S: 220 old
      C: EHLO client.test
      S: 451 4.7.1 later
      = trouble deferred hello 4.7.1
      C: QUIT
      S: 221 bye
      = close`,
  },
  {
    title: 'no HELO where TLS is demanded',
    settings: { startTls: 'require' },
    dialogue: `S: 220 old
      C: EHLO client.test
      S: 500 what
      = trouble failed hello 5.0.0
      C: QUIT`,
  },
  {
    title: 'a greeting of 554 is trouble for good, and QUIT is still said',
    dialogue: `S: 554-no
      S: 554 mail here
      = trouble failed greeting 5.3.2
      C: QUIT
      S: 221 bye
      = close`,
  },
  {
    title: 'a greeting of 421 ends it',
    dialogue: 'S: 421 4.3.2 busy\n= close\n= trouble deferred greeting 4.3.2',
  },
  {
    title: 'another protocol is not mistaken for ours',
    dialogue: 'S: +OK POP3\n= close\n= trouble deferred greeting 4.5.0',
  },
  {
    title: 'a silent hop is left',
    dialogue: '* expire\n= close\n= trouble deferred greeting 4.4.2',
  },
  {
    title: 'a hop that hangs up is left',
    dialogue: '* end\n= close\n= trouble deferred greeting 4.4.2',
  },
  {
    title: 'STARTTLS is taken where offered, and EHLO said again',
    work: [],
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250-PIPELINING
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go ahead
      = secure
      * tls
      ${open('SIZE')}`,
  },
  {
    title: 'clear text behind the 220 to STARTTLS ends the connection',
    wholeOnly: true,
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go ahead
      S: 250-two.test
      S: 250 AUTH PLAIN
      = close
      = trouble deferred tls 4.7.0`,
  },
  {
    title: 'a refused STARTTLS leaves an opportunistic client in the clear',
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 STARTTLS
      C: STARTTLS
      S: 454 4.7.0 no certificate
      = ready`,
  },
  {
    title: 'where TLS is required, a hop without it is left',
    settings: { startTls: 'require' },
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250 two.test
      = trouble deferred tls 4.7.4
      C: QUIT`,
  },
  {
    title: 'a handshake that fails is TLS trouble',
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go ahead
      = secure
      * lost
      = close
      = trouble deferred tls 4.7.5`,
  },
  {
    title: 'a login by PLAIN goes with the command under TLS',
    settings: {
      tls: { protocol: 'TLSv1.3', cipher: 'x', verified: true },
      login: { username: 'u', password: 'p' },
    },
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 AUTH LOGIN PLAIN
      C: AUTH PLAIN AHUAcA==
      S: 235 2.7.0 welcome
      = ready`,
  },
  {
    title: 'a login by LOGIN answers two prompts',
    settings: { plaintextLogin: true, login: { username: 'u', password: 'p' } },
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 AUTH=LOGIN
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: dQ==
      S: 334 UGFzc3dvcmQ6
      C: cA==
      S: 235 ok
      = ready`,
  },
  {
    title: 'a password never crosses the wire in the clear',
    settings: { login: { username: 'u', password: 'p' } },
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 AUTH PLAIN LOGIN
      = trouble failed auth 5.7.11
      C: QUIT`,
  },
  {
    title: 'a refused login is trouble, and a server that takes it unproven is not believed',
    settings: { login: { username: 'u', password: 'p' } },
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 AUTH SCRAM-SHA-256
      C: AUTH SCRAM-SHA-256 biwsbj11LHI9QUFBQUFBQUFBQUFBQUFBQUFBQUE=
      S: 235 come in
      = trouble failed auth 5.7.8
      C: QUIT`,
  },
  {
    title: '535 is told with its status',
    settings: { plaintextLogin: true, login: { username: 'u', password: 'p' } },
    dialogue: `S: 220 two.test
      C: EHLO client.test
      S: 250-two.test
      S: 250 AUTH PLAIN
      C: AUTH PLAIN AHUAcA==
      S: 535 wrong
      = trouble failed auth 5.7.8
      C: QUIT`,
  },
  {
    title: 'a message over the SIZE of the hop is not offered',
    work: [one, one],
    dialogue: `${opened('SIZE 20')}
      = outcomes failed 5.3.4
      = ready
      = outcomes failed 5.3.4
      = ready`,
  },
  {
    title: 'SIZE 0 and SIZE without a number are no limit',
    work: [one],
    dialogue: `${opened('SIZE 0')}
      C: MAIL FROM:<a@one.test> SIZE=21`,
  },
  {
    title: 'an address beyond ASCII fails where SMTPUTF8 is not offered',
    work: [carry(['jürgen@two.test'])],
    dialogue: `${opened('8BITMIME')}
      = outcomes failed 5.6.7
      = ready`,
  },
  {
    title: 'SMTPUTF8 is asked for where it is needed and offered',
    work: [carry(['jürgen@two.test'])],
    dialogue: `${opened('SMTPUTF8', '8BITMIME')}
      C: MAIL FROM:<a@one.test> SMTPUTF8
      S: 250 ok
      C: RCPT TO:<jürgen@two.test>`,
  },
  {
    title: 'BODY=8BITMIME is said where offered',
    work: [carry(['b@two.test'], Buffer.from('x\r\n'), { body: '8BITMIME' })],
    dialogue: `${opened('8BITMIME')}\nC: MAIL FROM:<a@one.test> BODY=8BITMIME`,
  },
  {
    title: 'and left out where not',
    work: [carry(['b@two.test'], Buffer.from('x\r\n'), { body: '8BITMIME' })],
    dialogue: `${opened()}\nC: MAIL FROM:<a@one.test>`,
  },
  {
    title: 'BINARYMIME fails where it is not offered',
    work: [carry(['b@two.test'], Buffer.from('x\r\n'), { body: 'BINARYMIME' })],
    dialogue: `${opened('8BITMIME', 'CHUNKING')}\n= outcomes failed 5.6.1\n= ready`,
  },
  {
    title: 'BINARYMIME goes by BDAT, octet for octet',
    work: [carry(['b@two.test'], Buffer.from('.x\r\n\r\n.\r\n'), { body: 'BINARYMIME' })],
    dialogue: `${opened('BINARYMIME', 'CHUNKING', 'PIPELINING')}
      C: MAIL FROM:<a@one.test> BODY=BINARYMIME
      C: RCPT TO:<b@two.test>
      S: 250 ok
      S: 250 ok
      C: BDAT 9 LAST
      C: .x
      C: \n      C: .
      S: 250 2.0.0 ok
      = outcomes delivered 2.0.0
      = ready`,
  },
  {
    title: 'dots are doubled and a missing line end is mended',
    work: [carry(['b@two.test'], Buffer.from('.a\r\n..b\r\nc'))],
    dialogue: `${opened()}
      C: MAIL FROM:<a@one.test>
      S: 250 ok
      C: RCPT TO:<b@two.test>
      S: 250 ok
      C: DATA
      S: 354 go
      C: ..a
      C: ...b
      C: c
      C: .
      * lost
      = close
      = outcomes deferred 4.4.2 in doubt (dot)`,
  },
  {
    title: 'what is lost before the end of the message is in no doubt',
    work: [one],
    dialogue: `${opened()}
      C: MAIL FROM:<a@one.test>
      S: 250 ok
      C: RCPT TO:<b@two.test>
      S: 250 ok
      C: DATA
      * hold
      S: 354 go
      C: Subject: x
      C: \n      C: hello
      * lost
      = close
      = outcomes deferred 4.4.2 (content)`,
  },
  {
    title: 'a refusal in the middle of the content counts and ends the connection',
    work: [one],
    dialogue: `${opened()}
      C: MAIL FROM:<a@one.test>
      S: 250 ok
      C: RCPT TO:<b@two.test>
      S: 250 ok
      C: DATA
      * hold
      S: 354 go
      C: Subject: x
      C: \n      C: hello
      S: 552 5.3.4 too big
      = close
      = outcomes failed 5.3.4 (content)`,
  },
  {
    title: '421 to the end of the message is the word of the hop and leaves no doubt',
    work: [one],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      ${message}
      S: 421 4.3.2 going down
      = close
      = outcomes deferred 4.3.2 (dot)`,
  },
  {
    title: '421 at RCPT defers who is open and keeps who was refused',
    work: [two],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: RCPT TO:<c@two.test>
      C: DATA
      S: 250 ok
      S: 550 5.1.1 nobody
      S: 421 4.3.2 going down
      = close
      = outcomes failed 5.1.1, deferred 4.3.2 (rcpt)`,
  },
  {
    title: 'an idle hop may say goodbye',
    dialogue: `${opened()}\nS: 421 4.4.2 idle too long\n= close\n= trouble deferred idle 4.4.2`,
  },
  {
    title: 'a hop that answers more than it was asked is not believed for the next message',
    wholeOnly: true,
    work: [one, one],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      ${message}
      S: 250 ok
      S: 250 ok
      = outcomes delivered 2.0.0
      = close
      = trouble deferred idle 4.5.0`,
  },
  {
    title: 'LMTP gives one reply for each recipient that was taken',
    settings: { protocol: 'lmtp' },
    work: [carry(['a@t.test', 'b@t.test', 'c@t.test'])],
    dialogue: `S: 220 two.test LMTP
      C: LHLO client.test
      S: 250-two.test
      S: 250 PIPELINING
      = ready
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<a@t.test>
      C: RCPT TO:<b@t.test>
      C: RCPT TO:<c@t.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 5.1.1 nobody
      S: 250 ok
      S: 354 go
      ${message}
      S: 250 2.1.5 kept
      S: 452 4.2.2 full
      = outcomes delivered 2.1.5, failed 5.1.1, deferred 4.2.2
      = ready`,
  },
  {
    title: 'a reply without text and one with a foreign status are understood',
    work: [one],
    dialogue: `S: 220
      C: EHLO client.test
      S: 250
      = ready
      C: MAIL FROM:<a@one.test>
      S: 250
      C: RCPT TO:<b@two.test>
      S: 550 4.1.1 class differs
      = outcomes failed 5.0.0
      C: RSET`,
  },
  {
    title: 'told to leave, a busy session settles its message first',
    work: [one],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: DATA
      * quit
      S: 550 5.7.1 no
      S: 503 no
      S: 503 no
      = outcomes failed 5.7.1
      C: QUIT`,
  },
  {
    title: 'an address with a line end never becomes a command',
    work: [carry(['"x\r\nRSET"@two.test', 'b@two.test'])],
    dialogue: `${opened('PIPELINING')}
      C: MAIL FROM:<a@one.test>
      C: RCPT TO:<b@two.test>
      C: DATA
      S: 250 ok
      S: 550 5.1.1 nobody
      S: 503 no
      = outcomes failed 5.1.3, failed 5.1.1
      C: RSET`,
  },
]

for (const { title, dialogue, work = [], settings = {}, wholeOnly } of cases) {
  for (const cut of wholeOnly ? (['whole'] as const) : (['whole', 'octets'] as const)) {
    test(`${title} (${cut})`, () => {
      const { was, wanted } = play(dialogue, work, settings, cut)
      assert.equal(was, wanted.replaceAll(/^C:$/gm, 'C: '))
    })
  }
}

test('DSN parameters go along where DSN is offered', () => {
  const asked = {
    ...one,
    envelope: {
      sender: { ...one.envelope.sender, ret: 'HDRS', envelopeId: 'a b+' },
      recipients: [
        {
          forwardPath: { local: 'b', domain: 'two.test' },
          notify: ['SUCCESS', 'DELAY'],
          originalRecipient: { type: 'rfc822', address: 'x=y@two.test' },
        },
        { forwardPath: { local: 'c', domain: 'two.test' }, notify: 'NEVER' },
      ],
    },
  } as const
  const dialogue = `${opened('PIPELINING', 'DSN')}
    C: MAIL FROM:<a@one.test> RET=HDRS ENVID=a+20b+2B
    C: RCPT TO:<b@two.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+3Dy@two.test
    C: RCPT TO:<c@two.test> NOTIFY=NEVER
    C: DATA`
  const { was, wanted } = play(dialogue, [asked], {}, 'whole')
  assert.equal(was, wanted)
})

test('an endless banner is left, whether its lines end or not', () => {
  for (const line of ['220-welcome\r\n', 'x']) {
    const played = new Played({}, [])
    played.session.start()
    for (let i = 0; i < 100_000 && !played.log.includes('= close'); i++) {
      played.hear(line.repeat(10), 'whole')
    }
    assert.deepEqual(played.log, ['= close', '= trouble deferred greeting 4.5.0'])
    assert.equal(played.session.backlogOctets, 0)
  }
})

test('a crawling peer does not start the deadline anew', () => {
  const played = new Played({}, [])
  played.session.start()
  const before = played.session.step
  assert.equal(played.session.patienceMs, 300_000)
  played.hear('220-a\r\n220-b\r\n220', 'octets')
  assert.equal(played.session.step, before)
  played.hear(' c\r\n', 'whole')
  assert.notEqual(played.session.step, before)
})

test('the dialogue shows what was said, without secrets and content', () => {
  const { played } = play(
    `S: 220 two.test
    C: EHLO client.test
    S: 250-two.test
    S: 250 AUTH PLAIN
    C: AUTH PLAIN AHUAcA==
    S: 235 2.7.0 welcome
    S: 250 ok`.replace('\n    S: 250 ok', ''),
    [one],
    { plaintextLogin: true, login: { username: 'u', password: 'p' } },
    'whole',
  )
  played.hear('250 ok\r\n', 'whole')
  played.hear('250 ok\r\n', 'whole')
  played.hear('354 go\r\n', 'whole')
  played.hear('554 5.7.1 looks like \x1b[31mspam\r\n', 'whole')
  const outcomes = played.questions.find(question => question.kind === 'outcomes')
  assert.equal(
    outcomes?.kind === 'outcomes' && outcomes.dialogue,
    [
      'S: 220 two.test',
      'C: EHLO client.test',
      'S: 250-two.test',
      'S: 250 AUTH PLAIN',
      'C: AUTH PLAIN (secret)',
      'S: 235 2.7.0 welcome',
      'C: MAIL FROM:<a@one.test>',
      'S: 250 ok',
      'C: RCPT TO:<b@two.test>',
      'S: 250 ok',
      'C: DATA',
      'S: 354 go',
      '* content, 21 octets, and the final dot',
      'S: 554 5.7.1 looks like ?[31mspam',
    ].join('\n'),
  )
})

test('whatever the point of the end, a message gets its outcomes exactly once', () => {
  const replies = [
    '220 x\r\n',
    '250-x\r\n250 PIPELINING\r\n',
    '250 a\r\n',
    '250 b\r\n',
    '354 c\r\n',
    '250 d\r\n',
  ]
  for (const end of ['lost', 'end', 'expire', 'hear 421 4.3.2 bye', 'hear nonsense']) {
    for (let cut = 0; cut <= replies.length; cut++) {
      const played = new Played({}, [one])
      played.session.start()
      for (const reply of replies.slice(0, cut)) played.hear(reply, 'whole')
      for (let twice = 0; twice < 2; twice++) {
        if (end.startsWith('hear ')) played.hear(`${end.slice(5)}\r\n`, 'whole')
        else played.happen(end)
      }
      for (const event of ['end', 'lost']) played.happen(event)
      const outcomes = played.questions.filter(question => question.kind === 'outcomes')
      const troubles = played.questions.filter(question => question.kind === 'trouble')
      assert.equal(outcomes.length, cut < 2 ? 0 : 1, `${end} ${cut}`)
      assert.equal(troubles.length <= 1, true)
      assert.equal(played.log.filter(line => line === '= close').length, 1)
    }
  }
})
