import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../mail/address.ts'
import { withoutNeedlessUtf8 } from './needless-utf8.ts'

test('SMTPUTF8 is kept where an address or the content needs it, and only there', () => {
  for (const { from, to, head = 'Received: x\r\n', content, utf8 } of [
    { from: 'a@b.example', to: 'c@d.example', content: 'Subject: hi\r\n\r\nhi\r\n', utf8: false },
    { from: 'a@b.example', to: 'é@d.example', content: 'hi', utf8: true },
    { from: 'é@b.example', to: 'c@d.example', content: 'hi', utf8: true },
    { from: '', to: 'c@d.example', content: 'Subject: é\r\n\r\n', utf8: true },
    { from: '', to: 'c@d.example', head: 'From: é@d.example\r\n', content: 'hi', utf8: true },
  ]) {
    const sender = {
      reversePath: from === '' ? null : parseStoredAddress(from),
      body: '8BITMIME' as const,
      utf8: true,
    }
    const envelope = { sender, recipients: [{ forwardPath: parseStoredAddress(to) }] }
    const octets = Buffer.from(content)
    const ascii = octets.every(octet => octet < 128)
    for (const body of [octets, { staged: 'x', sizeOctets: octets.length, ascii }]) {
      const kept = withoutNeedlessUtf8(envelope, head, body)
      assert.equal(kept.sender.utf8, utf8, `${from} ${to} ${content}`)
      assert.equal(kept.sender.body, '8BITMIME')
    }
  }
})
