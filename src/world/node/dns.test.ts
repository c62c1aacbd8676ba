/** Look-ups against a name server of our own on the loopback, whose answers are written by hand. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { nodeDns } from './dns.ts'

/** A DNS answer (RFC 1035 §4.1) to a query: its question, a code, and records for that name. */
function reply(query: Buffer, rcode: number, type: number, datas: readonly Buffer[]): Buffer {
  let end = 12
  while (query[end] !== 0) end += (query[end] ?? 0) + 1
  const question = query.subarray(12, end + 5)
  const header = Buffer.from(query.subarray(0, 12))
  header.writeUInt16BE(0x8180 | rcode, 2)
  header.writeUInt16BE(datas.length, 6)
  header.writeUInt32BE(0, 8)
  const records = datas.map(data => {
    const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length])
    return Buffer.concat([head, data])
  })
  return Buffer.concat([header, question, ...records])
}

function nameOf(query: Buffer): string {
  const labels: string[] = []
  for (let at = 12; query[at] !== 0; at += (query[at] ?? 0) + 1) {
    labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] ?? 0)))
  }
  return labels.join('.').toLowerCase()
}

const wire = (name: string) =>
  Buffer.concat(
    [...name.split('.').filter(Boolean), ''].map(label =>
      Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]),
    ),
  )
const mx = (preference: number, name: string) =>
  Buffer.concat([Buffer.from([0, preference]), wire(name)])

const MX = 15
const A = 1
const TXT = 16
const ANSWERS: Readonly<Record<string, readonly [number, number, readonly Buffer[]]>> = {
  'example.org': [0, MX, [mx(10, 'MX.Example.ORG'), mx(20, 'b.example.org')]],
  'null.example.org': [0, MX, [mx(0, '')]],
  'empty.example.org': [0, MX, []],
  'broken.example.org': [2, MX, []],
  'mx.example.org': [0, A, [Buffer.from([192, 0, 2, 1])]],
  'text.example.org': [0, TXT, [Buffer.from('\x03v=s\x03pf1')]],
  'xn--bcher-kva.example': [0, MX, [mx(5, 'mx.example.org')]],
}

test('answers become values: found, empty, missing or failed', async t => {
  const server = createSocket('udp4')
  server.on('message', (query, peer) => {
    const [rcode, type, datas] = ANSWERS[nameOf(query)] ?? [3, MX, []]
    server.send(reply(query, rcode, type, datas), peer.port, peer.address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const servers = [`127.0.0.1:${server.address().port}`]
  const dns = nodeDns({ servers, timeoutMs: 300, tries: 1 })

  assert.deepEqual(await dns.mx('example.org.'), {
    kind: 'found',
    records: [
      { preference: 10, exchange: 'mx.example.org' },
      { preference: 20, exchange: 'b.example.org' },
    ],
  })
  assert.deepEqual(await dns.mx('null.example.org'), {
    kind: 'found',
    records: [{ preference: 0, exchange: '' }],
  })
  assert.deepEqual(await dns.mx('empty.example.org'), { kind: 'empty' })
  assert.deepEqual(await dns.mx('nowhere.example.org'), { kind: 'missing' })
  assert.equal((await dns.mx('broken.example.org')).kind, 'failed')
  assert.deepEqual(await dns.ipv4('mx.example.org'), { kind: 'found', records: ['192.0.2.1'] })
  assert.deepEqual(await dns.txt('text.example.org'), { kind: 'found', records: ['v=spf1'] })
  assert.equal((await dns.mx('bücher.example')).kind, 'found')
  assert.deepEqual(await dns.mx(`${'x'.repeat(64)}.example.org`), { kind: 'missing' })
  assert.deepEqual(await dns.mx(''), { kind: 'missing' })
  assert.equal((await dns.names('not an address')).kind, 'failed')
})

test('a server that is not there is a failure, never a missing name', async () => {
  const dns = nodeDns({ servers: ['127.0.0.1:9'], timeoutMs: 200, tries: 1 })
  assert.equal((await dns.mx('example.org')).kind, 'failed')
})
