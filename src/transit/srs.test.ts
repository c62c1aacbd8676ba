/** SRS addresses against Mail::SRS's own answers, and everything that must not verify. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../mail/address.ts'
import { forwardedSender, reversed } from './srs.ts'

const DAY_MS = 24 * 3_600_000
/** Day 20,784: stamp `JQ`. */
const NOW = Date.UTC(2026, 10, 27, 8)
const keys = { secrets: ['tops3cr3t'], hashLength: 4 }

function forward(sender: string, changes: Partial<Parameters<typeof forwardedSender>[1]> = {}) {
  const by = { ...keys, domain: 'fwd.example', messageId: '00abc', nowMs: NOW, ...changes }
  return forwardedSender(parseStoredAddress(sender), by).local
}

function back(local: string, changes: object = {}) {
  const found = reversed(local, { ...keys, nowMs: NOW, keepDays: 21, ...changes })
  if (found.kind === 'sender') return `${found.address.local}@${found.address.domain}`
  return found.kind === 'reference' ? found.messageId : found.kind
}

test('an address is the one that Mail::SRS makes', () => {
  // perl -MMail::SRS -e 'print Mail::SRS->new(Secret => "tops3cr3t")->forward(...)' on that day
  assert.equal(forward('alice@source.com'), 'SRS0=3nQ3=JQ=source.com=alice')
})

const SENDERS = ['alice@source.com', 'a=b@source.com', 'srs0@source.com', 'Alice+X@Source.COM']
for (const sender of SENDERS) {
  test(`${sender} comes back from its SRS address, in whatever case`, () => {
    const local = forward(sender)
    const plain = sender.toLowerCase()
    assert.equal(back(local).toLowerCase(), plain)
    assert.equal(back(local.toUpperCase()).toLowerCase(), plain)
    assert.equal(back(local.toLowerCase()).toLowerCase(), plain)
  })
}

test('an empty local part, which quotes may hold, comes back', () => {
  const local = forward('""@source.com')
  assert.match(local, /^SRS0=....=JQ=source\.com=$/)
  assert.equal(back(local), '@source.com')
})

test('what was forwarded once is forwarded again as SRS1, and no longer the third time', () => {
  const once = forward('alice@source.com')
  const twice = forward(`${once}@fwd.example`)
  assert.match(twice, /^SRS1=....=fwd\.example==3nQ3=JQ=source\.com=alice$/)
  assert.equal(back(twice), `${once}@fwd.example`)
  const thrice = forward(`${twice}@second.example`, { secrets: ['other'] })
  assert.match(thrice, /^SRS1=....=fwd\.example==3nQ3=JQ=source\.com=alice$/)
  assert.equal(back(thrice, { secrets: ['other'] }), `${once}@fwd.example`)
  for (const separator of ['+', '-']) {
    const other = once.replace('SRS0=', `SRS0${separator}`)
    assert.equal(back(other), 'alice@source.com')
    assert.equal(back(forward(`${other}@fwd.example`)), `${other}@fwd.example`)
  }
})

test('a sender that fits into no plain local part is found by its message', () => {
  const long = `${'a'.repeat(60)}@source.example`
  const ofOthers = ['SRS1+=*=j@x.example', 'SRS0=a=b=c.example=d@[192.0.2.1]']
  for (const sender of [long, '"a b"@x.example', 'jörg@x.example', 'a@[192.0.2.1]', ...ofOthers]) {
    const local = forward(sender)
    assert.match(local, /^SRS0=....=JQ==00abc$/)
    assert.ok(local.length <= 64)
    assert.equal(back(local), '00abc')
    assert.equal(back(local.toUpperCase()), '00abc')
  }
  // RFC 5321 §4.5.3.1.1: 64 octets and no more.
  const most = (hash: number) => 64 - `SRS0==JQ=s.example=`.length - hash
  assert.match(forward(`${'a'.repeat(most(4))}@s.example`), /=s\.example=/)
  assert.match(forward(`${'a'.repeat(most(4) + 1)}@s.example`), /==00abc$/)
  assert.match(forward(`SRS1=not-one@x.example`), /==00abc$/)
})

test('secrets are changed without losing what is under way', () => {
  const old = forward('alice@source.com')
  const secrets = ['new one', 'tops3cr3t']
  assert.equal(back(old, { secrets }), 'alice@source.com')
  assert.notEqual(forward('alice@source.com', { secrets }), old)
  assert.equal(back(old, { secrets: ['new one'] }), 'forged')
  // A longer hash than is asked for is believed, a shorter one is not.
  assert.equal(back(old, { hashLength: 5 }), 'forged')
  const longer = forward('alice@source.com', { hashLength: 20 })
  assert.equal(back(longer), 'alice@source.com')
})

test('an address ends with its days, also where the count of days begins anew', () => {
  const at = (days: number) => NOW + days * DAY_MS
  const local = forward('alice@source.com')
  assert.equal(back(local, { nowMs: at(21) }), 'alice@source.com')
  assert.equal(back(local, { nowMs: at(22) }), 'expired')
  assert.equal(back(local, { nowMs: at(-1) }), 'alice@source.com', 'another clock is a day behind')
  assert.equal(back(local, { nowMs: at(-2) }), 'expired')
  const end = Math.ceil(NOW / DAY_MS / 1024) * 1024 * DAY_MS
  const last = forward('alice@source.com', { nowMs: end - 1 })
  assert.equal(last.split('=')[2], '77')
  assert.equal(back(last, { nowMs: end + DAY_MS }), 'alice@source.com')
})

const FORGED = [
  'SRS0=3nQ4=JQ=source.com=alice',
  'SRS0=3nQ3=JQ=source.com=alice2',
  'SRS0=3nQ3=JQ=source.org=alice',
  'SRS0=3nQ3=JR=source.com=alice',
  'SRS0=3nQ=JQ=source.com=alice',
  'SRS0==JQ=source.com=alice',
  'SRS0=3nQ3',
  'SRS0=3nQ3=JQ',
  'SRS0=3nQ3=JQ=source.com=',
  'SRS0=3nQ3=JQsource.com=alice',
  'SRS0=',
  'SRS1=3nQ3=JQ=source.com=alice',
  'SRS1=3nQ3=fwd.example==3nQ3=JQ=source.com=alice',
  'SRS1=',
  'SRS2=3nQ3=JQ=source.com=alice',
  'alice',
]
for (const local of FORGED) {
  test(`${local} leads nowhere`, () => assert.equal(back(local), 'forged'))
}

test('a reference is no address of its own making, and an address no reference', () => {
  assert.equal(back(forward('"x y"@source.com').replace('==', '=a.example=')), 'forged')
  assert.equal(back(forward('alice@source.com').replace('=source.com=', '==')), 'forged')
})
