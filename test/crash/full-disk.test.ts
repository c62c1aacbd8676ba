/**
 * A disk that is really full (RFC 5321 §4.2.3: 452): nothing is acknowledged that is not kept, mail
 * can be read and deleted meanwhile, and the server recovers by itself. And one whose reserve is kept free.
 */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clear, newFolder, type Server, startServer, stopAll } from '../kit/server.ts'
import { mountSmallDisk } from '../kit/small-disk.ts'
import { contentOf, numberOf } from './load.ts'

const disk = mountSmallDisk(32)
const config = join(newFolder('config'), 'postrider.json')
const keepFree = (freeSpace: string | number) =>
  writeFileSync(config, JSON.stringify({ queue: { retry: ['1s'] }, limits: { freeSpace } }))
let server: Server

before(async () => {
  if (!disk) return
  keepFree(0)
  server = await startServer({ data: join(disk.folder, 'data'), config })
})
after(() => {
  stopAll()
  disk?.close()
  clear()
})

const MB = 1024 * 1024
const byNumber = (a = 0, b = 0) => a - b

/** Sends one message; the last reply. */
async function send(server: Server, number: number, sizeOctets: number) {
  const smtp = await server.smtp()
  await smtp.command('MAIL FROM:<joe@remote.example>')
  await smtp.command(`RCPT TO:<${server.account(1).address}>`)
  const content = contentOf(number, sizeOctets)
  await smtp.send(`BDAT ${content.length} LAST\r\n`)
  await smtp.send(content)
  const reply = await smtp.reply()
  smtp.end()
  return reply
}

/** Sends until the server says no; the numbers it took. */
async function sendUntilFull(server: Server, first: number, sizeOctets: number) {
  const taken: number[] = []
  for (let number = first; number < first + 3000; number++) {
    const { code, text } = await send(server, number, sizeOctets)
    if (code === 250) taken.push(number)
    else {
      assert.match(text, /^452 4\.3\.1 /)
      return taken
    }
  }
  return assert.fail('the disk never filled')
}

/** The numbers of the mailbox, once it holds as many as are wanted. */
async function numbers(server: Server, wanted: number): Promise<(number | undefined)[]> {
  for (let tries = 0; ; tries++) {
    const mail = await server.mail(server.account(1))
    if (mail.length >= wanted || tries > 40) return mail.map(numberOf).toSorted(byNumber)
    await sleep(200)
  }
}

const skip = disk === undefined && 'needs root, mkfs.ext4 and loop devices'

test('a full disk is 452 for small and large, is read and emptied by POP3, and recovers', {
  skip,
}, async context => {
  if (!disk) return
  const sent: number[] = []
  for (let number = 1; number <= 4; number++) {
    assert.equal((await send(server, number, number === 4 ? 300_000 : 20_000)).code, 250)
    sent.push(number)
  }
  await numbers(server, 4)
  disk.fill(1024 * 1024)
  sent.push(...(await sendUntilFull(server, 1000, 300_000)))
  sent.push(...(await sendUntilFull(server, 2000, 30_000)))
  sent.push(...(await sendUntilFull(server, 4000, 700)))
  context.diagnostic(`taken before it was full: ${sent.length}`)

  const pop = await server.pop3(server.account(1))
  assert.match(await pop.ask('RETR 1'), /^\+OK/)
  assert.equal(numberOf(await pop.multiline()), 1)
  assert.match(await pop.ask('DELE 1'), /^\+OK/)
  const quit = await pop.ask('QUIT')
  context.diagnostic(`deleting while full: ${quit}`)
  pop.end()

  disk.relieve()
  const { code, text } = await send(server, 9000, 900)
  assert.equal(code, 250, text)
  sent.push(9000)
  const { text: large } = await send(server, 9001, 300_000)
  assert.match(large, /^250 /)
  sent.push(9001)
  if (quit.startsWith('+OK')) sent.shift()
  assert.deepEqual(await numbers(server, sent.length), sent.toSorted(byNumber))
  const check = await server.run('check')
  assert.equal(check.code, 0, check.out + check.err)
  assert.deepEqual(
    server.log.filter(line => /uncaught|unhandled/i.test(line)),
    [],
  )
})

test('what would take the reserve is 452: at MAIL as declared, at its end where it was not', {
  skip,
}, async () => {
  if (!disk) return
  keepFree('4MB')
  await server.reload()
  disk.fill(6 * MB)
  await sleep(500)
  const smtp = await server.smtp()
  const say = async (line: string) => (await smtp.command(line)).text
  const noRoom = /^452 4\.3\.1 /
  assert.match(await say('MAIL FROM:<joe@remote.example> SIZE=5000000'), noRoom)
  assert.match(await say(`RCPT TO:<${server.account(1).address}>`), /^503 /)
  assert.match(await say('MAIL FROM:<joe@remote.example> SIZE=1000000'), /^250 /)
  assert.match(await say('RSET'), /^250 /)
  // It is larger than was said, or nothing was.
  const large = contentOf(1, 5_000_000)
  assert.match(await say('MAIL FROM:<joe@remote.example>'), /^250 /)
  assert.match(await say(`RCPT TO:<${server.account(1).address}>`), /^250 /)
  await smtp.send(`BDAT ${large.length} LAST\r\n`)
  await smtp.send(large)
  assert.match((await smtp.reply()).text, noRoom)
  assert.ok(disk.free() > 4 * MB, `${disk.free()} octets are free`)
  assert.equal((await send(server, 2, 700)).code, 250)
  disk.fill(3 * MB)
  await sleep(500)
  assert.match(await say('MAIL FROM:<joe@remote.example>'), noRoom)
  disk.relieve()
  await sleep(500)
  assert.match(await say('MAIL FROM:<joe@remote.example>'), /^250 /)
  smtp.end()
})

test('a server that died on a full disk starts again, serves what it has, and takes more when there is room', {
  skip,
}, async () => {
  if (!disk) return
  const { data } = server
  // Also where it is run alone.
  keepFree('4MB')
  await server.reload()
  assert.equal((await send(server, 5001, 700)).code, 250)
  while (!existsSync(join(data, 'spare-room'))) await sleep(50)
  disk.fill()
  await server.stop('SIGKILL')
  const again = await startServer({ data, config })
  assert.ok((await numbers(again, 1)).includes(5001))
  const smtp = await again.smtp()
  assert.match((await smtp.command('MAIL FROM:<joe@remote.example>')).text, /^452 4\.3\.1 /)
  // And that is no different the second time.
  await again.stop('SIGKILL')
  const third = await startServer({ data, config })
  disk.relieve()
  while ((await send(third, 5002, 700)).code !== 250) await sleep(50)
  assert.equal((await third.stop()).code, 0)
  assert.equal((await third.run('check')).code, 0)
})
