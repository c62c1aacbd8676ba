/** Fields of a header that ask something of its transport. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Envelope, Sender } from '../mail/envelope.ts'
import { scanHeader } from '../message/header.ts'
import { type Heeding, heed } from './heed.ts'

const to = (...addresses: string[]) =>
  addresses.map(address => {
    const [local = '', domain = ''] = address.split('@')
    return { forwardPath: { local, domain } }
  })

function envelope(sender: Partial<Sender> = {}, recipients = to('joe@example.org')): Envelope {
  return { sender: { reversePath: null, body: '7BIT', utf8: false, ...sender }, recipients }
}

const headerOf = (...lines: string[]) =>
  scanHeader(Buffer.from([...lines, 'Subject: x', '', 'body', ''].join('\r\n')))

test('usual mail asks nothing', () => {
  const header = headerOf('From: a@b.example', 'X-Priorities: 5', 'Importance: high')
  assert.equal(heed(envelope(), header, { priorityMax: 9, unwanted: [] }), undefined)
  assert.equal(heed(envelope({ priority: 0 }), header, { priorityMax: 9, unwanted: [] }), undefined)
})

/** What is decided, which lines go, which come, and what the sender hears. */
function decided(heeding: Omit<Heeding, 'unwanted'>, sender: Partial<Sender>, ...lines: string[]) {
  const header = headerOf(...lines)
  const heeded = heed(envelope(sender), header, { ...heeding, unwanted: [] })
  if (heeded === undefined) return undefined
  const { omitted, fields, priorityChangedTo } = heeded
  const gone = omitted.map(field => header.text(field)).join('|')
  return [heeded.envelope.sender.priority, gone, fields.trim(), priorityChangedTo]
}

test('RFC 6758 §3.1: MT-Priority counts where MAIL has none, and only if it is alone and well-formed', () => {
  const max = { priorityMax: 9 }
  assert.deepEqual(decided(max, {}, 'MT-Priority: 4 (ultra)'), [4, '', '', undefined])
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
