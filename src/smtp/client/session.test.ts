import assert from 'node:assert/strict'
import { test } from 'node:test'
import { carry, Played, play, scene } from './scripted.ts'

const one = carry(['b@two.test'])
const open = (...extensions: string[]) => `
  C: EHLO client.test
  ${['S: 250-two.test', ...extensions.map(name => `S: 250-${name}`), 'S: 250 HELP'].join('\n')}
  = ready`
const opened = (...extensions: string[]) => `S: 220 two.test ESMTP${open(...extensions)}`

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
  const { was, wanted } = play({ ...scene(dialogue), work: [asked] }, 'whole')
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
    scene(`@ plaintext-login
    @ login u p
    @ carry b@two.test
    S: 220 two.test
    C: EHLO client.test
    S: 250-two.test
    S: 250 AUTH PLAIN
    C: AUTH PLAIN AHUAcA==
    S: 235 2.7.0 welcome`),
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
