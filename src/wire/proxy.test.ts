/** The PROXY protocol's header, whole and octet by octet: what is one, and what ends the connection. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from './crc32c.ts'
import { type ProxyHeader, ProxyReader } from './proxy.ts'

/** What a reader makes of the octets: all at once, and one by one (without what follows the header). */
function read(octets: Uint8Array): ProxyHeader | undefined {
  const whole = new ProxyReader().push(octets)
  const single = new ProxyReader()
  let header: ProxyHeader | undefined
  for (const octet of octets) {
    header = single.push(Uint8Array.of(octet))
    if (header !== undefined) break
  }
  assert.deepEqual(summary(header), summary(whole))
  return whole
}

function summary(header: ProxyHeader | undefined): unknown {
  return header?.kind === 'header' ? { ends: header.ends, tls: header.tls } : header?.kind
}

const v1 = (line: string) => read(Buffer.from(line, 'latin1'))

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

function v2(command: number, family: number, block: Uint8Array, length = block.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff])
  return Buffer.concat([SIGNATURE, fixed, block])
}

function tlv(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value])
}

const IPV4 = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 25])
const ENDS = {
  remote: { address: '192.0.2.7', port: 40_000 },
  local: { address: '198.51.100.1', port: 25 },
}

test('version 1 tells the ends, and leaves what follows alone', () => {
  const header = v1('PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\nEHLO x\r\n')
  assert.equal(header?.kind, 'header')
  assert.deepEqual(header.ends, ENDS)
  assert.equal(Buffer.from(header.rest).toString(), 'EHLO x\r\n')
  const six = v1('PROXY TCP6 2001:DB8:0::7 ::1 1 65535\r\n')
  assert.deepEqual(six?.kind === 'header' && six.ends, {
    remote: { address: '2001:db8::7', port: 1 },
    local: { address: '::1', port: 65_535 },
  })
})

test('version 1 may not know its client', () => {
  for (const line of [
    'PROXY UNKNOWN\r\n',
    'PROXY UNKNOWN ffff:f...f ffff:f...f 65535 65535\r\n',
    `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`,
  ]) {
    const header = v1(line)
    assert.equal(header?.kind, 'header', line)
    assert.equal(header.ends, undefined)
  }
})

test('a malformed line ends the connection, as early as it can be told', () => {
  for (const line of [
    'EHLO x\r\n',
    'proxy TCP4 192.0.2.7 198.51.100.1 40000 25\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n',
    'PROXY TCP4  192.0.2.7 198.51.100.1 40000 25\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 40000 25 \r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 40000 65536\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 040 25\r\n',
    'PROXY TCP4 192.0.2.999 198.51.100.1 40000 25\r\n',
    'PROXY TCP4 ::1 ::1 40000 25\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 40000 25\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 40000 25\r\n',
    'PROXY UNKNOWNX\r\n',
    'PROXY \r\n',
    'X',
    `PROXY UNKNOWN ${'x'.repeat(93)}`,
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
  ]) {
    assert.equal(v1(line)?.kind, 'fault', line)
  }
  assert.equal(v1('PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\n'), undefined)
  assert.equal(v1('PROX'), undefined)
})

test('version 2 tells the ends and leaves what follows alone', () => {
  const header = new ProxyReader().push(Buffer.concat([v2(0x21, 0x11, IPV4), Buffer.from('QUIT')]))
  assert.equal(header?.kind, 'header')
  assert.deepEqual(header.ends, ENDS)
  assert.equal(Buffer.from(header.rest).toString(), 'QUIT')
  const six = Buffer.alloc(36)
  six.set([0x20, 0x01, 0x0d, 0xb8], 0)
  six[15] = 7
  six[31] = 1
  six.writeUInt16BE(4000, 32)
  six.writeUInt16BE(465, 34)
  const read6 = read(v2(0x21, 0x21, six))
  assert.deepEqual(read6?.kind === 'header' && read6.ends, {
    remote: { address: '2001:db8::7', port: 4000 },
    local: { address: '::1', port: 465 },
  })
})

test('version 2 may speak for itself, or of what is no address for us', () => {
  for (const octets of [
    v2(0x20, 0x00, Buffer.alloc(0)),
    v2(0x20, 0x11, IPV4),
    v2(0x20, 0xff, Buffer.from('whatever')),
    v2(0x21, 0x00, Buffer.from('whatever')),
    v2(0x21, 0x12, IPV4),
    v2(0x21, 0x31, Buffer.alloc(216)),
  ]) {
    const header = read(octets)
    assert.equal(header?.kind, 'header')
    assert.equal(header.ends, undefined)
  }
})

test('version 2 that is malformed ends the connection', () => {
  for (const octets of [
    v2(0x11, 0x11, IPV4),
    v2(0x31, 0x11, IPV4),
    v2(0x22, 0x11, IPV4),
    v2(0x21, 0x41, IPV4),
    v2(0x21, 0x13, IPV4),
    v2(0x21, 0x11, IPV4.subarray(1)),
    v2(0x21, 0x21, IPV4),
    v2(0x21, 0x31, Buffer.alloc(215)),
    v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from([4, 0])])),
    v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from([4, 0, 2, 0])])),
    v2(0x21, 0x11, Buffer.concat([IPV4, tlv(0x03, Buffer.alloc(3))])),
    v2(0x21, 0x11, Buffer.concat([IPV4, tlv(0x20, Buffer.alloc(4))])),
    v2(0x21, 0x11, Buffer.alloc(0), 20_000),
  ]) {
    assert.equal(read(octets)?.kind, 'fault', octets.toString('hex'))
  }
  assert.equal(read(v2(0x21, 0x11, IPV4).subarray(0, 27)), undefined)
})

test('a checksum is checked, and other TLVs are skipped', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  const skipped = tlv(0x04, Buffer.alloc(9))
  const octets = v2(0x21, 0x11, Buffer.concat([IPV4, tlv(0x03, Buffer.alloc(4)), skipped]))
  octets.writeUInt32BE(crc32c(octets), 16 + 12 + 3)
  assert.equal(read(octets)?.kind, 'header')
  octets[20] = 1
  assert.equal(read(octets)?.kind, 'fault')
})

test('what a proxy says of TLS is read', () => {
  const tls = (client: number, verify: number) =>
    tlv(
      0x20,
      Buffer.concat([
        Buffer.from([client, 0, 0, 0, verify]),
        tlv(0x21, Buffer.from('TLSv1.3')),
        tlv(0x22, Buffer.from('client\r\n.example')),
        tlv(0x23, Buffer.from('TLS_AES_256_GCM_SHA384')),
      ]),
    )
  const facts = (client: number, verify: number) => {
    const header = read(v2(0x21, 0x11, Buffer.concat([IPV4, tls(client, verify)])))
    return header?.kind === 'header' ? header.tls : undefined
  }
  const shown = {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    peerName: 'client??.example',
  }
  assert.deepEqual(facts(0x07, 0), { ...shown, verified: true })
  assert.deepEqual(facts(0x07, 1), { ...shown, verified: false })
  assert.deepEqual(facts(0x01, 0), { ...shown, verified: false })
  assert.equal(facts(0x00, 0), undefined)
})
