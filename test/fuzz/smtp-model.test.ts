/**
 * Random commands in random order, pipelined in random groups and cut at random, against a reference
 * model: every reply is what the RFCs say, no octet of a message is lost, and neither groups nor cuts nor
 * a slow policy make a difference. `POSTRIDER_FUZZ=100` runs a hundred times as many.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SessionSettings } from '../../src/smtp/server/question.ts'
import { sessionSettings } from '../kit/smtp-settings.ts'
import { type Rules, SmtpModel, type Step } from './smtp-model.ts'
import { PASSWORD, SmtpStage } from './smtp-stage.ts'

const FACTOR = Number(process.env['POSTRIDER_FUZZ'] ?? 1)

const base64 = (text: string) => Buffer.from(text).toString('base64')
const right = base64(`\0bob\0${PASSWORD}`)
const wrong = base64('\0bob\0guess')

const verdict = fc.constantFrom<250 | 450 | 550>(250, 250, 250, 450, 550)
const named = { 250: 'b@x.test', 450: 'later@x.test', 550: 'bad@x.test' } as const

/** Lines that a dot, a command or half a line end stands in; always with CRLF at the end, or empty. */
const dotted = fc
  .array(fc.constantFrom('', '.', '..', 'QUIT', '.x', 'BDAT 3 LAST', 'x'.repeat(70)), {
    maxLength: 6,
  })
  .map(lines => lines.map(line => `${line}\r\n`).join(''))
/** Any octets at all. */
const octets = fc
  .array(fc.constantFrom('\r', '\n', '\0', '.', '\r\n.\r\n', 'RSET\r\n', '\xff', 'y'.repeat(50)), {
    maxLength: 5,
  })
  .map(parts => parts.join(''))

const simple = fc.constantFrom<Step>(
  { verb: 'RSET' },
  { verb: 'NOOP' },
  { verb: 'VRFY' },
  { verb: 'EXPN' },
  { verb: 'HELP' },
  { verb: 'STARTTLS' },
  { verb: 'AUTH', text: right, code: 235 },
  { verb: 'AUTH', text: wrong, code: 535 },
  { verb: 'AUTH', responses: [right], code: 235 },
  { verb: 'AUTH', responses: ['*'], code: 501 },
  { verb: 'AUTH', responses: ['!'], code: 501 },
)
const raw = fc.constantFrom<Step>(
  { verb: 'RAW', text: '', code: 500 },
  { verb: 'RAW', text: 'WHAT', code: 500 },
  { verb: 'RAW', text: 'TURN', code: 502 },
  { verb: 'RAW', text: 'SOML FROM:<a@x>', code: 502 },
  { verb: 'RAW', text: 'RSET now', code: 501 },
  { verb: 'RAW', text: 'BDAT x LAST', code: 501 },
  { verb: 'RAW', text: 'STARTTLS now', code: 501 },
  { verb: 'RAW', text: `NOOP ${'x'.repeat(600)}`, code: 500 },
  { verb: 'RAW', text: 'x'.repeat(20_000), code: 500 },
)
const hello = fc.constantFrom<Step>(
  { verb: 'EHLO', text: 'x.test' },
  { verb: 'LHLO', text: 'x.test' },
  { verb: 'HELO', text: 'x.test' },
)
/** Parameters of extensions, right, malformed and unknown (RFC 5321 §4.1.1.11: 555 for those). */
const mailParameters = fc.constantFrom<Step['parameters']>(
  undefined,
  undefined,
  [' SMTPUTF8', 250],
  [' SMTPUTF8=yes', 501],
  [' RET=HDRS ENVID=x+2By', 250],
  [' RET=SOME', 501],
  [' ENVID=+2', 501],
  [' AUTH=<>', 250],
  [' X-NONE', 555],
)
const rcptParameters = fc.constantFrom<Step['parameters']>(
  undefined,
  undefined,
  [' NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@x.test', 250],
  [' NOTIFY=NEVER', 250],
  [' NOTIFY=NEVER,DELAY', 501],
  [' ORCPT=b', 501],
  [' RET=FULL', 555],
)

const mail = fc
  .record({
    verdict,
    parameters: mailParameters,
    size: fc.constantFrom(undefined, undefined, 10, 999_999),
    binary: fc.boolean(),
  })
  .map(
    ({ verdict: code, size, binary, parameters }): Step => ({
      verb: 'MAIL',
      text: named[code],
      verdict: code,
      ...(size === undefined ? {} : { sizeOctets: size }),
      ...(binary ? { binary } : {}),
      ...(parameters === undefined ? {} : { parameters }),
    }),
  )
const rcpt = fc.record({ verdict, parameters: rcptParameters }).map(
  ({ verdict: code, parameters }): Step => ({
    verb: 'RCPT',
    text: named[code],
    verdict: code,
    ...(parameters === undefined ? {} : { parameters }),
  }),
)
const data = dotted.map((content): Step => ({ verb: 'DATA', content }))
const bdat = fc
  .record({ content: octets, last: fc.boolean() })
  .map((chunk): Step => ({ verb: 'BDAT', ...chunk }))

const step = fc.oneof(
  { weight: 2, arbitrary: hello },
  { weight: 5, arbitrary: mail },
  { weight: 8, arbitrary: rcpt },
  { weight: 4, arbitrary: data },
  { weight: 5, arbitrary: bdat },
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: raw },
  { weight: 1, arbitrary: fc.constant<Step>({ verb: 'QUIT' }) },
)

const steps = fc
  .record({ first: hello, others: fc.array(step, { maxLength: 40, size: 'max' }) })
  .map(({ first, others }) => [first, ...others])

const rules: fc.Arbitrary<Rules> = fc.record({
  protocol: fc.constantFrom<'smtp' | 'lmtp'>('smtp', 'smtp', 'lmtp'),
  sizeMaxBytes: fc.constantFrom(100, 10_000),
  recipientsMax: fc.constantFrom(2, 100),
  requireAuth: fc.boolean(),
  errorsMax: fc.constantFrom(0, 0, 5),
  transactionsMax: fc.constantFrom(3, 100),
})

const manner = fc.record({
  /** How many commands leave together. */
  group: fc.integer({ min: 1, max: 8 }),
  cuts: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 }),
  later: fc.boolean(),
})

function settingsOf(given: Rules): SessionSettings {
  const service = given.requireAuth ? 'submission' : 'mx'
  return { ...sessionSettings, ...given, service, startTls: true, mechanisms: ['PLAIN'] }
}

test('any commands in any order and groups are answered as the model says', () => {
  fc.assert(
    fc.property(rules, steps, manner, (given, commands, { group, cuts, later }) => {
      const model = new SmtpModel(given)
      const stage = new SmtpStage(settingsOf(given), later)
      assert.deepEqual(codesOf(stage), [220])
      let octets = ''
      let codes: number[] = []
      let waiting = 0
      const flush = () => {
        stage.say(Buffer.from(octets, 'latin1'), cuts)
        assert.deepEqual(codesOf(stage), codes)
        assert.equal(stage.closed, model.closed)
        assert.deepEqual(stage.messages, model.messages)
        octets = ''
        codes = []
        waiting = 0
      }
      for (const command of commands) {
        if (model.closed) break
        const predicted = model.step(command)
        octets += predicted.octets
        codes.push(...predicted.codes)
        waiting += 1
        if (predicted.secures) {
          // Whatever stands behind STARTTLS in the clear is thrown away, unread.
          if (!model.closed) octets += 'NOOP\r\nQUIT\r\n'
          flush()
          if (stage.securing) stage.secured()
        } else if (waiting >= group) flush()
      }
      flush()
    }),
    { numRuns: 1_500 * FACTOR, seed: 20_261_127 },
  )
})

function codesOf(stage: SmtpStage): readonly number[] {
  return stage.replies().map(line => Number(line.slice(0, 3)))
}
