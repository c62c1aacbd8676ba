/** The kit itself: a server starts, a message goes in and comes out, and it ends when told. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear, startServer } from './server.ts'

after(clear)

test('a message goes in by SMTP, comes out by POP3, and the server ends with 0', async () => {
  // An alias at the demo's domain, which the first start makes.
  const set = { aliases: '{"team@demo.test":["bob@demo.test"]}' }
  const server = await startServer({ first: true, set })
  const smtp = await server.smtp()
  const to = server.account(1)
  await smtp.command('MAIL FROM:<joe@remote.example>')
  assert.equal((await smtp.command('RCPT TO:<team@demo.test>')).code, 250)
  assert.equal((await smtp.command('DATA')).code, 354)
  const content = 'Subject: kit\r\n\r\n..a dot\r\nand more\r\n'
  const { code, text } = await smtp.command(`${content}.`.replace('\r\n..', '\r\n...'))
  assert.equal(code, 250, text)
  let mail: Buffer[] = []
  for (let tries = 0; tries < 50 && mail.length === 0; tries++) mail = await server.mail(to)
  assert.equal(mail.length, 1)
  assert.ok(mail[0]?.toString().endsWith(content))
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assert.deepEqual(server.faults(), [])
})
