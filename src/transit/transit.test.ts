/** Which of the reverse-paths a copy leaves under, where several could be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import { Transit, type TransitNeeds, type TransitSettings } from './transit.ts'

const all: TransitSettings = {
  srs: { domain: 'fwd.example', secrets: [], hashLength: 4, keepDays: 21, takes: 'bounces' },
  batv: { domains: ['here.example'], secrets: [], keepDays: 7, untagged: 'take' },
  verp: { senders: ['*@lists.here.example'], delimiters: '-=', separator: '+' },
}

function leaving(
  from: string,
  {
    to = 'joe@there.example',
    alias,
    verp,
    settings = all,
  }: {
    readonly to?: string
    readonly alias?: string
    readonly verp?: string
    readonly settings?: TransitSettings
  } = {},
): string | undefined {
  const needs = {
    store: {},
    clock: { now: () => Date.UTC(2026, 10, 27) },
    settings: () => settings,
    isOurs: (domain: string) => /^(?:lists\.)?here\.example$/.test(domain),
  } as unknown as TransitNeeds
  const reversePath = from === '' ? null : parseStoredAddress(from)
  const message = { id: 'id', reversePath, ...(verp !== undefined && { verp }) }
  const copy = { address: parseStoredAddress(to), aliasOf: alias ?? null }
  const path = new Transit(needs, 'the secret of the store').leaving(message, copy)
  return path && formatAddress(path)
}

test('what is forwarded for others is rewritten, what is ours has a tag, lists name each recipient', () => {
  assert.match(leaving('a@x.example', { alias: 'b@here.example' }) ?? '', /^SRS0=.*@fwd\.example$/)
  assert.match(leaving('a@here.example', { alias: 'b@here.example' }) ?? '', /^prvs=0.*=a@here/)
  assert.equal(leaving('a@x.example'), undefined)
  assert.equal(leaving('a@lists.here.example'), 'a-joe=there.example@lists.here.example')
  assert.equal(leaving('', { alias: 'b@here.example', verp: '+=' }), undefined)
})

test('XVERP names the address that was written to, and its address has a tag where those of its domain do', () => {
  const path = (more: object) =>
    leaving('a@here.example', { verp: '+=', ...more })?.replace(/^prvs=0[0-9a-f]{9}=/, 'TAG=')
  assert.equal(path({}), 'TAG=a+joe=there.example@here.example')
  const { batv: _none, ...settings } = all
  assert.equal(path({ settings }), 'a+joe=there.example@here.example')
  assert.equal(path({ alias: 'sub@here.example' }), 'TAG=a+sub=here.example@here.example')
  // Where both do not fit, what a bounce needs to be taken stays.
  const long = `${'j'.repeat(40)}@there.example`
  assert.equal(path({ to: long }), `a+${long.replace('@', '=')}@here.example`)
  const refusing = { ...all, batv: { ...all.batv, untagged: 'refuse' } } as TransitSettings
  assert.equal(path({ to: long, settings: refusing }), 'TAG=a@here.example')
  const to = `${'j'.repeat(60)}@there.example`
  assert.match(leaving('a@here.example', { verp: '+=', to }) ?? '', /^prvs=0/)
})

test('what goes to our own domains is not rewritten, and nothing is where nothing is set', () => {
  assert.equal(leaving('a@x.example', { alias: 'b@here.example', to: 'c@here.example' }), undefined)
  assert.equal(leaving('a@here.example', { settings: {} }), undefined)
})

test('a bounce of a list comes to its mailbox, where that is here', async () => {
  const arriving = async (text: string) => {
    const verp = {
      senders: ['news@here.example', 'news@there.example'],
      delimiters: '-=',
      separator: '+',
    }
    const needs = {
      store: {},
      clock: { now: () => 0 },
      settings: () => ({ verp }),
      isOurs: (domain: string) => domain === 'here.example',
    } as unknown as TransitNeeds
    const found = await new Transit(needs, 'secret').arriving(parseStoredAddress(text), null)
    return found?.kind === 'leads' ? formatAddress(found.to) : found
  }
  assert.equal(await arriving('news-a=x.example@here.example'), 'news+a=x.example@here.example')
  assert.equal(await arriving('news-a=x.example@there.example'), undefined)
  assert.equal(await arriving('old-a=x.example@here.example'), undefined)
  assert.equal(await arriving('news@here.example'), undefined)
})

test('where bounces without a tag are refused, those of SRS and of lists come all the same', async () => {
  const needs = {
    store: {},
    clock: { now: () => Date.UTC(2026, 10, 27) },
    settings: () => ({
      srs: { domain: 'here.example', secrets: [], hashLength: 4, keepDays: 21, takes: 'bounces' },
      batv: { domains: ['here.example'], secrets: [], keepDays: 7, untagged: 'refuse' },
      verp: {
        senders: ['news@here.example', '*@lists.here.example'],
        delimiters: '+=',
        separator: '+',
      },
    }),
    isOurs: (domain: string) => /^(?:lists\.)?here\.example$/.test(domain),
  } as unknown as TransitNeeds
  const transit = new Transit(needs, 'the secret of the store')
  const arriving = async (address: Address) => {
    const found = await transit.arriving(address, null, true)
    return found?.kind === 'leads' ? formatAddress(found.to) : found?.kind
  }
  const copy = {
    address: parseStoredAddress('far@there.example'),
    aliasOf: 'fwd@here.example',
  }
  const path = transit.leaving({ id: 'id', reversePath: parseStoredAddress('a@x.example') }, copy)
  assert.equal(path && (await arriving(path)), 'a@x.example')
  const told = { id: 'id', reversePath: parseStoredAddress('joe@here.example'), verp: '+=' }
  const asked = transit.leaving(told, { address: copy.address, aliasOf: null })
  assert.equal(asked && (await arriving(asked)), 'joe+far=there.example@here.example')
  for (const [address, expected] of [
    ['news+joe=there.example@here.example', undefined],
    ['any+joe=there.example@lists.here.example', undefined],
    ['news+joe@here.example', 'refuse'],
    ['old+joe=there.example@here.example', 'refuse'],
    ['joe@here.example', 'refuse'],
    ['SRS0=abcd=JQ=x.example=a@here.example', 'refuse'],
  ] as const) {
    assert.equal(await arriving(parseStoredAddress(address)), expected, address)
  }
})
