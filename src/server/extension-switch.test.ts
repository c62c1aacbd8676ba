/**
 * Every extension of the table has a switch of its own at every listener: switched off it is not told in EHLO,
 * its verbs are 502 and its parameters 555; where it is off by default, `with` switches it on.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accept } from '../mail/verdict.ts'
import type { Extension, Keyword, Service } from '../smtp/extension/extension.ts'
import { dialectOf, extensions } from '../smtp/extension/table.ts'
import type { Answer, Question, SessionSettings } from '../smtp/server/question.ts'
import { ServerSession } from '../smtp/server/session.ts'
import type { Sink } from '../wire/effect.ts'
import { parseNetwork } from '../wire/network.ts'
import { settingsSchema } from './settings/settings.ts'

const listeners: Readonly<Record<string, Service>> = {
  smtp: 'mx',
  submission: 'submission',
  submissions: 'submission',
  lmtp: 'lmtp',
  odmr: 'odmr',
}

const loopback = parseNetwork('127.0.0.0/8')

const settings = {
  hostname: 'mx.example',
  banner: '',
  sizeMaxBytes: 1000,
  recipientsMax: 100,
  recipientDomainsMax: 0,
  bareLineEnds: 'refuse',
  startTls: true,
  plaintextAuth: true,
  mechanisms: ['PLAIN'],
  requireAuth: false,
  with: [],
  without: [],
  xclientFrom: [loopback],
  xforwardFrom: [loopback],
  errorsMax: 0,
  transactionsMax: 0,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 180_000,
  deliverByMinS: 0,
  holdMaxS: 86_400,
  priorityMax: 9,
  unwanted: ['net.example:ADV'],
  chance: (octets: number) => new Uint8Array(octets),
  now: () => 0,
} as const

const place = (service: Service, over: Partial<SessionSettings>): SessionSettings =>
  ({
    ...settings,
    service,
    protocol: service === 'lmtp' ? 'lmtp' : 'smtp',
    ...over,
  }) as SessionSettings

/** A session behind its hello: the answer to each command. */
function opened(made: SessionSettings): (command: string) => string {
  let output = ''
  const sink: Sink<Question, Answer> = {
    send: text => {
      output += text
    },
    stream: () => {},
    ask: question =>
      question.kind === 'rcpts' ? question.recipients.map(() => accept()) : accept(),
    content: () => {},
    secure: () => {},
    compress: () => {},
    handOver: () => {},
    close: () => {},
  }
  const end = { address: '127.0.0.1', port: 1 }
  const session = new ServerSession(sink, made, { remote: end, local: end })
  session.start()
  return command => {
    output = ''
    session.receive(Buffer.from(`${command}\r\n`))
    return output
  }
}

const allows = ({ onlyAt }: Extension, service: Service) => onlyAt?.includes(service) !== false
const isDefault = ({ onAt }: Extension, service: Service) => onAt?.includes(service) !== false

/** What cannot be where another is not. */
const NEEDS: Readonly<Partial<Record<Keyword, readonly Keyword[]>>> = {
  BINARYMIME: ['8BITMIME', 'CHUNKING'],
  SMTPUTF8: ['8BITMIME'],
  REQUIRETLS: ['STARTTLS'],
  MTRK: ['DSN'],
  BURL: ['8BITMIME', 'AUTH'],
}

for (const [listener, service] of Object.entries(listeners)) {
  const hello = service === 'lmtp' ? 'LHLO x' : 'EHLO x'
  test(`each extension is switched off at ${listener} by itself`, () => {
    for (const each of extensions) {
      const { keyword, verbs = [], mail = {}, rcpt = {} } = each
      const written = { listeners: { [listener]: { without: [keyword] } } }
      assert.ok(settingsSchema.safeParse(written).success, keyword)
      const say = opened(place(service, { without: [keyword] }))
      assert.doesNotMatch(say(hello), new RegExp(`^250[ -]${keyword}(?: |\r)`, 'm'), keyword)
      for (const verb of verbs) assert.match(say(`${verb} x`), /^50[02] 5\.5\.1 /, verb)
      for (const name of Object.keys(mail)) {
        assert.match(say(`MAIL FROM:<a@x.example> ${name}=1`), /^555 5\.5\.4 /, name)
      }
      say('MAIL FROM:<a@x.example>')
      for (const name of Object.keys(rcpt)) {
        assert.match(say(`RCPT TO:<b@x.example> ${name}=1`), /^555 5\.5\.4 /, name)
      }
      // Nothing else goes with it but what needs it.
      const without = dialectOf(place(service, { without: [keyword] })).keywords
      const lost = [...dialectOf(place(service, {})).keywords].filter(other => !without.has(other))
      assert.ok(
        lost.every(other => other === keyword || NEEDS[other]?.includes(keyword)),
        `${keyword}: ${lost.join(' ')}`,
      )
    }
  })

  test(`each extension that is off at ${listener} is switched on by itself`, () => {
    for (const each of extensions) {
      const { keyword } = each
      const written = { listeners: { [listener]: { with: [keyword] } } }
      const on = dialectOf(place(service, { with: [keyword] })).keywords.has(keyword)
      const permitted = allows(each, service)
      assert.equal(
        on,
        permitted && (each.has?.(place(service, { with: [keyword] })) ?? true),
        keyword,
      )
      const off = permitted && !isDefault(each, service)
      assert.equal(settingsSchema.safeParse(written).success, off, keyword)
    }
  })
}
