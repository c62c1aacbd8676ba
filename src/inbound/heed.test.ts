/** Fields of a header that ask something of its transport. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Envelope, Sender } from '../mail/envelope.ts'
import { scanHeader } from '../message/header.ts'
import { type Heeding, heed as heedAt } from './heed.ts'

const to = (...addresses: string[]) =>
  addresses.map(address => {
    const [local = '', domain = ''] = address.split('@')
    return { forwardPath: { local, domain } }
  })

function envelope(
  sender: Partial<Sender> = {},
  recipients: Envelope['recipients'] = to('joe@example.org'),
): Envelope {
  return { sender: { reversePath: null, body: '7BIT', utf8: false, ...sender }, recipients }
}

/** Only addresses of example.org are here. */
function heed(of: Envelope, header: ReturnType<typeof headerOf>, heeding: Partial<Heeding>) {
  const all = { unwanted: [], tenure: false, ...heeding }
  return heedAt(of, header, all, ({ domain }) => domain === 'example.org')
}

const headerOf = (...lines: string[]) =>
  scanHeader(Buffer.from([...lines, 'Subject: x', '', 'body', ''].join('\r\n')))

test('usual mail asks nothing', () => {
  const header = headerOf('From: a@b.example', 'X-Priorities: 5', 'Importance: high')
  assert.equal(heed(envelope(), header, { priorityMax: 9 }), undefined)
  assert.equal(heed(envelope({ priority: 0 }), header, { priorityMax: 9 }), undefined)
})

/** What is decided, which lines go, which come, and what the sender hears. */
function decided(heeding: Partial<Heeding>, sender: Partial<Sender>, ...lines: string[]) {
  const header = headerOf(...lines)
  const heeded = heed(envelope(sender), header, heeding)
  if (heeded === undefined) return undefined
  const { omitted, fields, priorityChangedTo } = heeded
  const gone = omitted.map(field => header.text(field)).join('|')
  return [heeded.envelope.sender.priority, gone, fields.trim(), priorityChangedTo]
}

test('RFC 6758 §3.1: MT-Priority counts where MAIL has none, and only if it is alone and well-formed', () => {
  const max = { priorityMax: 9 }
  assert.deepEqual(decided(max, {}, 'MT-Priority: 4 (ultra)'), [4, '', '', undefined])
  assert.deepEqual(decided(max, {}, 'MT-Priority: (a (b) \\)) 4'), [4, '', '', undefined])
  assert.deepEqual(decided(max, {}, 'mt-priority: -3'), [-3, '', '', undefined])
  const zero = 'MT-Priority: 0'
  assert.deepEqual(decided(max, {}, 'MT-Priority: 10'), [0, '10', zero, undefined])
  assert.deepEqual(decided(max, {}, 'MT-Priority: 4', 'MT-Priority: 4'), [
    0,
    '4|4',
    zero,
    undefined,
  ])
  assert.deepEqual(decided(max, { priority: 2 }, 'MT-Priority: 4'), [
    2,
    '4',
    'MT-Priority: 2',
    undefined,
  ])
  assert.deepEqual(decided(max, { priority: 0 }, 'MT-Priority: 4'), [0, '4', zero, undefined])
})

test('RFC 6758 §3.3: what MAIL asked stands in the header for hops that do not know it', () => {
  assert.deepEqual(decided({ priorityMax: 9 }, { priority: 5 }), [
    5,
    '',
    'MT-Priority: 5',
    undefined,
  ])
  assert.deepEqual(decided({ priorityMax: 9 }, { priority: 5 }, 'MT-Priority: 5'), [
    5,
    '',
    '',
    undefined,
  ])
})

test('RFC 6710 §4.1: a field asks for no more than a parameter may, and is replaced', () => {
  assert.deepEqual(decided({ priorityMax: 0 }, {}, 'MT-Priority: 4'), [0, '4', 'MT-Priority: 0', 0])
  assert.deepEqual(decided({ priorityMax: 0 }, {}, 'MT-Priority: -4'), [-4, '', '', undefined])
})

test('RFC 3865 §2.5: the classes of Solicitation go on in the envelope, and unwanted ones refuse', () => {
  const classes = (unwanted: string[], sender: Partial<Sender>, ...lines: string[]) => {
    const heeded = heed(envelope(sender), headerOf(...lines), { unwanted })
    const { refused } = heeded ?? {}
    if (refused && refused.kind !== 'accept')
      return `${refused.code} ${refused.detail} ${refused.text}`
    return heeded?.envelope.sender.solicitations
  }
  const field = 'Solicitation: net.example:ADV, org.example:ADV:ADLT'
  assert.deepEqual(classes([], {}, field), ['net.example:ADV', 'org.example:ADV:ADLT'])
  assert.deepEqual(classes(['a:B'], {}, field, 'Solicitation: c:D'), [
    'net.example:ADV',
    'org.example:ADV:ADLT',
    'c:D',
  ])
  assert.equal(
    classes(['a:B', 'NET.example:adv'], {}, field),
    '550 7.1 SOLICIT=net.example:ADV is not wanted here',
  )
  assert.deepEqual(classes([], { solicitations: ['x:Y'] }, field), ['x:Y'])
  assert.equal(classes(['a'], {}, 'Solicitation: 1!'), undefined)
})

test('where MT-PRIORITY is switched off its field is only a field', () => {
  assert.deepEqual(decided({}, {}, 'MT-Priority: 4'), [undefined, '', '', undefined])
})

test('RFC 7293 §5.2: a demand for a recipient counts where RCPT has none, and leaves where he is here', () => {
  const at = Date.UTC(2014, 3, 3, 23, 1)
  const demand = (address: string) =>
    `Require-Recipient-Valid-Since: ${address}; Thu, 3 Apr 2014 23:01:00 +0000`
  const result = (recipients: Envelope['recipients'], ...lines: string[]) => {
    const header = headerOf(...lines)
    const heeded = heed(envelope({}, recipients), header, { tenure: true })
    return [
      heeded?.envelope.recipients.map(each => each.validSince?.atMs),
      heeded?.demanding?.map(({ forwardPath }) => forwardPath.local),
      heeded?.omitted.map(field => header.text(field).split(';')[0]),
    ]
  }
  const joe = demand('JOE@example.org')
  assert.deepEqual(result(to('joe@example.org'), joe), [[at], ['joe'], ['JOE@example.org']])
  // All are here: none of the fields leaves with the message, whomever it names.
  assert.deepEqual(result(to('joe@example.org'), demand('x@y.test')), [
    [undefined],
    [],
    ['x@y.test'],
  ])
  // Another's field goes on, and so does RRVS beside it.
  assert.deepEqual(result(to('joe@example.org', 'x@y.test'), joe, demand('x@y.test')), [
    [at, at],
    ['joe', 'x'],
    ['JOE@example.org'],
  ])
  assert.deepEqual(result(to('x@y.test'), demand('joe@example.org')), [[undefined], [], []])
  // A role, a malformed field, and what RCPT says itself.
  const ruled = (recipients: Envelope['recipients'], line: string) => result(recipients, line)[1]
  assert.deepEqual(ruled(to('abuse@example.org'), demand('abuse@example.org')), [])
  for (const text of [
    'joe@example.org',
    'joe@example.org; soon',
    '; Thu, 3 Apr 2014 23:01:00 +0000',
  ])
    assert.deepEqual(ruled(to('joe@example.org'), `Require-Recipient-Valid-Since: ${text}`), [])
  const own = to('joe@example.org').map(each => ({
    ...each,
    validSince: { atMs: 5, action: 'R' as const },
  }))
  assert.deepEqual(ruled(own, joe), [])
})
