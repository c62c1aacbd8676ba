/** Sessions of SMTP and LMTP, each side, over whatever its peer says. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { carry, settings as clientSettings, Played } from '../../../src/smtp/client/scripted.ts'
import { sessionSettings } from '../../kit/smtp-settings.ts'
import { smtpCommands, smtpReplies } from '../grammar/smtp.ts'
import { makeDialogue } from '../lab/grammar.ts'
import { latin1, pick, type Target } from '../lab/target.ts'
import { SmtpStage } from '../smtp-stage.ts'
import { BACKLOG_MAX_OCTETS, dialogues } from './ear.ts'

/** What the server says in the dialogues of our SMTP client. */
function serverSides(): Buffer[] {
  const place = new URL('../../transcript/smtp-client/', import.meta.url)
  return readdirSync(place)
    .sort()
    .map(name =>
      readFileSync(new URL(name, place), 'utf8')
        .split('\n')
        .filter(line => line.startsWith('S:') && line.length < 400)
        .map(line => `${line.slice(2).trimStart()}\r\n`)
        .join(''),
    )
    .filter(text => text !== '')
    .map(latin1)
}

function smtp(name: string, changes: object, words: readonly string[]): Target {
  return {
    name,
    seeds: () => dialogues('smtp', 3000),
    make: makeDialogue(smtpCommands),
    lines: true,
    words: [
      ...words,
      ...[
        'MAIL FROM:<a@b>\r\n',
        'RCPT TO:<c@d>\r\n',
        'RCPT TO:<later@d>\r\n',
        'DATA\r\n',
        '\r\n.\r\n',
        'BDAT 3\r\nabc',
      ],
      ...[
        'BDAT 0 LAST\r\n',
        'RSET\r\n',
        'QUIT\r\n',
        'NOOP x\r\n',
        'VRFY joe\r\n',
        'HELP\r\n',
        'AUTH PLAIN =\r\n',
        ' BODY=BINARYMIME',
      ],
      ...[
        ' SMTPUTF8',
        ' SIZE=9',
        ' RET=HDRS',
        ' NOTIFY=NEVER',
        ' ORCPT=rfc822;a',
        ' BY=120;R',
        ' MT-PRIORITY=3',
        'ETRN x\r\n',
      ],
      ...[
        '\n.\n',
        '\r.\r',
        '\r\n.\n',
        '\n.\r\n',
        '\r\n.\r',
        'XCLIENT NAME=x\r\n',
        'STARTTLS\r\n',
        ' TRANSID=<1@x>',
        'EXPN l\r\n',
      ],
    ],
    run: (input, random) => {
      const settings = { ...sessionSettings, ...changes }
      const serve = (cuts: readonly number[], later: boolean) => {
        const stage = new SmtpStage(settings, later)
        stage.say(input, cuts)
        return { replies: stage.replies(), messages: stage.messages, closed: stage.closed }
      }
      const whole = serve([], false)
      if (input.length <= 20_000)
        assert.deepEqual(serve([1 + random.below(9), 1 + random.below(90)], true), whole)
      return whole.replies.join('').length + whole.messages.join('').length
    },
  }
}

const hello = 'EHLO x\r\n'
const servers = [
  smtp('smtp-server', {}, [hello, 'HELO x\r\n']),
  smtp(
    'smtp-submission',
    {
      service: 'submission',
      bareLineEnds: 'normalize',
      mechanisms: ['PLAIN', 'LOGIN', 'SCRAM-SHA-256'],
      startTls: true,
      holdMaxS: 99,
      priorityMax: 9,
      with: ['ETRN', 'EXPN', 'TURN', 'CHECKPOINT'],
    },
    [hello],
  ),
  smtp('lmtp-server', { protocol: 'lmtp', service: 'lmtp' }, ['LHLO x\r\n']),
]

const OFFER =
  '250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-DSN\r\n250-SIZE 100\r\n250-AUTH PLAIN CRAM-MD5\r\n250 SMTPUTF8\r\n'

function smtpClient(name: string, changes: object): Target {
  return {
    name,
    seeds: () => [
      ...serverSides(),
      latin1(`220 x\r\n${OFFER}250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n`),
    ],
    words: [
      '220 x\r\n',
      OFFER,
      '250 ok\r\n',
      '354 go\r\n',
      '421 no\r\n',
      '550 5.1.1 no\r\n',
      '250-',
      '235 in\r\n',
      '334 \r\n',
      '454 4.7.0 x\r\n',
      'STARTTLS',
      'CHUNKING',
      'XFORWARD NAME',
    ],
    make: makeDialogue(smtpReplies),
    lines: true,
    run: (input, random) => {
      const content = Buffer.from('Subject: x\r\n\r\n.hello\r\n')
      const work = [carry(['b@two.test', 'c@two.test'], content), carry(['d@two.test'], content)]
      const played = new Played({ ...clientSettings, ...changes }, work)
      played.session.start()
      const size = random.below(2) === 0 ? input.length : 1 + random.below(40)
      for (let at = 0; at < input.length; at += size) {
        played.session.receive(input.subarray(at, at + size))
        if (played.log.includes('= secure')) played.happen('tls')
        if (!played.log.includes('= close')) played.session.drained()
        played.log = []
        if (input.length <= BACKLOG_MAX_OCTETS)
          assert.ok(played.session.backlogOctets <= BACKLOG_MAX_OCTETS)
      }
      played.happen(pick(random, ['end', 'lost', 'expire']))
      played.happen('lost')
      const given = played.questions.filter(({ kind }) => kind === 'ready').length
      const told = played.questions.filter(({ kind }) => kind === 'outcomes').length
      assert.equal(told, Math.min(given, work.length), 'each message has its outcomes once')
      for (const question of played.questions) {
        if (question.kind !== 'outcomes') continue
        for (const outcome of question.outcomes)
          assert.match(outcome.status, /^[245]\.\d{1,3}\.\d{1,3}$/)
      }
      return played.questions.length
    },
  }
}

export const smtpTargets: readonly Target[] = [
  ...servers,
  smtpClient('smtp-client', {
    login: { username: 'joe', password: 'secret' },
    plaintextLogin: true,
  }),
  smtpClient('lmtp-client', { protocol: 'lmtp' }),
]
